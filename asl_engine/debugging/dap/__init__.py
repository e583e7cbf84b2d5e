"""The debugger as an editor sees it: the Debug Adapter Protocol (microsoft.github.io/debug-adapter-protocol)."""
