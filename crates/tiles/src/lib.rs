//! Map tiles from a local MBTiles file.
