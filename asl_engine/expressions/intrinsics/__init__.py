"""The intrinsic functions, States.*."""
