//! Annotation: how people's judgements come in, and how far they agree.

pub mod agreement;
