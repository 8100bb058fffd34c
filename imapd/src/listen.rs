//! Where the server listens: addresses looked up and bound, and what to do when that fails, in words.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};

use socket2::{Domain, Protocol, Socket, Type};

use crate::failure::Failure;

/// Connections that wait to be accepted: as many as arrive at once when every client reconnects.
const BACKLOG: i32 = 4096;

/// The addresses that are meant, each once.
///
/// # Errors
/// The first that is none, or whose name is not known.
pub(crate) fn addresses(texts: &[String], option: &str) -> Result<Vec<SocketAddr>, Failure> {
    let mut all = Vec::new();
    for text in texts {
        all.extend(look_up(text, option)?);
    }
    let mut seen = Vec::new();
    all.retain(|a: &SocketAddr| {
        let new = a.port() == 0 || !seen.contains(a);
        seen.push(*a);
        new
    });
    Ok(all)
}

/// Binds every address. Nothing is accepted yet.
///
/// # Errors
/// The first address that cannot be had.
pub(crate) fn bind(addresses: &[SocketAddr], option: &str) -> Result<Vec<TcpListener>, Failure> {
    addresses
        .iter()
        .map(|a| open(*a, addresses).map_err(|e| refused(*a, option, &e)))
        .collect()
}

fn look_up(text: &str, option: &str) -> Result<Vec<SocketAddr>, Failure> {
    let form = text
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !form {
        let shape = "an address and a port, such as 127.0.0.1:1143, [::1]:1143, localhost:1143, or `none`";
        return Err(Failure::usage(format!("{option} {text}: {shape} is expected")));
    }
    let found = text.to_socket_addrs();
    found
        .map(Iterator::collect)
        .map_err(|e| Failure::new(format!("{option} {text}: the name is not known here: {e}")))
}

fn open(address: SocketAddr, all: &[SocketAddr]) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // `[::]` takes IPv4 as well, unless that is listened on separately.
        let beside = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
        socket.set_only_v6(address.ip() != Ipv6Addr::UNSPECIFIED || all.contains(&beside))?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn refused(address: SocketAddr, option: &str, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program listens there already; stop it, or choose another port with {option}")
        }
        io::ErrorKind::PermissionDenied => format!(
            "ports below 1024 need a privilege; choose another with {option}, or give it with `setcap cap_net_bind_service=+ep`"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "this machine does not have the address; `{option} 0.0.0.0:{}` is all it has",
                address.port()
            )
        }
        _ => error.to_string(),
    };
    Failure::new(format!("cannot listen on {address}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for wrong in [
            "1143",
            ":1143",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:x",
            "127.0.0.1:65536",
            "::",
        ] {
            let error = look_up(wrong, "--listen").unwrap_err();
            assert_eq!(error.code, crate::failure::USAGE, "{wrong}: {error}");
        }
        for right in ["127.0.0.1:0", "[::1]:143", "localhost:143"] {
            assert!(!look_up(right, "--listen").unwrap().is_empty());
        }
    }

    #[test]
    fn a_port_of_its_own_each_time_for_port_0() {
        let meant = addresses(&["127.0.0.1:0".into(), "127.0.0.1:0".into()], "--listen").unwrap();
        let two = bind(&meant, "--listen").unwrap();
        assert_ne!(two[0].local_addr().unwrap(), two[1].local_addr().unwrap());
    }

    #[test]
    fn a_port_that_is_taken_is_named() {
        let taken = bind(&[SocketAddr::from(([127, 0, 0, 1], 0))], "--listen").unwrap();
        let address = taken[0].local_addr().unwrap();
        let error = bind(&[address], "--listen").unwrap_err();
        let text = "another program listens there already; stop it, or choose another port with --listen";
        assert_eq!(error.to_string(), format!("cannot listen on {address}: {text}"));
    }
}
