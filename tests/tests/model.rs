//! The model checker over the backends.
