//! A port that drops packets: its queue of connections is full and nobody takes any, so that the system ignores new ones.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections it may take to fill a queue of one.
const MOST: usize = 8;

/// A loopback port to which connections never come about.
#[derive(Debug)]
pub(crate) struct DeafPort {
    address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl DeafPort {
    pub(crate) async fn open() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        let listener = socket.listen(1)?;
        let mut queued = Vec::new();
        while queued.len() < MOST {
            let connect = TcpStream::connect(address);
            match tokio::time::timeout(Duration::from_millis(100), connect).await {
                Ok(stream) => queued.push(stream?),
                Err(_) => break,
            }
        }
        Ok(Self {
            address,
            _listener: listener,
            _queued: queued,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_to_it_neither_comes_about_nor_fails() {
        let port = DeafPort::open().await.unwrap();
        let connect = TcpStream::connect(port.address);
        let waited = tokio::time::timeout(Duration::from_millis(300), connect).await;
        assert!(waited.is_err(), "it answered");
        assert!(port.address().ip().is_loopback());
    }
}
