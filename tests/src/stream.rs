//! What a client can speak over: any stream, with its type forgotten.

use tokio::io::{AsyncRead, AsyncWrite};

/// A stream of octets both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A stream whose type is forgotten.
pub type BoxedStream = Box<dyn Stream>;
