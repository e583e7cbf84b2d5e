"""The engines that ours is held against, each driven through its public interface, where it is installed."""
