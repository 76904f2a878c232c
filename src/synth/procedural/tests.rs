//! Whole runs over two tiny made-up photos.
