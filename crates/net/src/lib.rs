//! Every socket: listeners, dialers, limits, deadlines and the tracked spawner.
