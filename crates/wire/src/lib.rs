//! Topics and payloads, both ways, bounded and without I/O.
