//! The screen's state: news in, cursor, window and focus out.
