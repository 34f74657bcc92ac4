//! Listeners for one trusted program beside this one: a loopback port or a Unix socket.
//!
//! What speaks here has neither TLS nor keys, so nobody else may reach it: a TCP address must be a loopback one, a Unix
//! socket belongs to its owner alone (mode 0600).

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixListener, UnixStream};

use crate::error::{NetError, cause};
use crate::limits;
use crate::listen::{ListenLimits, Listener, listen};

/// Where a local program is awaited, written `tcp://127.0.0.1:26658` or `unix:///run/relaymill/abci.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalAddress {
    /// A loopback address and a port.
    Tcp(SocketAddr),
    /// Path of a socket.
    Unix(PathBuf),
}

impl FromStr for LocalAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix://") {
            if path.is_empty() {
                return Err("`unix://` needs the path of a socket".to_owned());
            }
            return Ok(Self::Unix(path.into()));
        }
        let address = text.strip_prefix("tcp://").unwrap_or(text);
        let address: SocketAddr = address
            .parse()
            .map_err(|_| format!("`{text}` is neither `tcp://ADDRESS:PORT` nor `unix:///PATH`"))?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "{address} can be reached from other machines, and what listens there trusts everybody; use a loopback \
                 address or a Unix socket"
            ));
        }
        Ok(Self::Tcp(address))
    }
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// A bound local address. A Unix socket's file is removed when this is dropped.
#[derive(Debug)]
pub struct LocalListener {
    address: LocalAddress,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Tcp(Listener),
    Unix(UnixListener),
}

/// Binds a local address. The file of a socket that nobody listens at any more is replaced.
///
/// # Errors
/// [`NetError::AddressInUse`] and the like for TCP, [`NetError::LocalSocket`] for a path.
pub async fn listen_local(address: &LocalAddress) -> Result<LocalListener, NetError> {
    match address {
        LocalAddress::Tcp(addr) => {
            let listener = listen(addr, ListenLimits::default()).await?;
            let address = LocalAddress::Tcp(listener.local_addr());
            let socket = Socket::Tcp(listener);
            Ok(LocalListener { address, socket })
        }
        LocalAddress::Unix(path) => {
            let listener = bind_unix(path)
                .await
                .map_err(|error| NetError::LocalSocket {
                    path: path.clone(),
                    cause: cause(error),
                })?;
            Ok(LocalListener {
                address: address.clone(),
                socket: Socket::Unix(listener),
            })
        }
    }
}

async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(io::Error::other("there is a file that is no socket"));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::other("another process listens there"));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

impl LocalListener {
    /// The bound address, with the port the system chose if 0 was asked for.
    pub fn address(&self) -> &LocalAddress {
        &self.address
    }

    /// The next connection.
    ///
    /// # Errors
    /// [`NetError::Accept`], worth trying again after [`limits::ACCEPT_PAUSE`].
    pub async fn accept(&self) -> Result<LocalStream, NetError> {
        match &self.socket {
            Socket::Tcp(listener) => Ok(LocalStream::Tcp(listener.accept().await?.into_tcp())),
            Socket::Unix(listener) => match listener.accept().await {
                Ok((stream, _)) => Ok(LocalStream::Unix(stream)),
                Err(error) => Err(NetError::Accept {
                    cause: cause(error),
                }),
            },
        }
    }

    /// As [`LocalListener::accept`], trying again after a pause as long as that may help.
    pub async fn accepted(&self) -> LocalStream {
        loop {
            match self.accept().await {
                Ok(stream) => return stream,
                Err(error) => {
                    tracing::warn!(%error, address = %self.address, "cannot accept");
                    tokio::time::sleep(limits::ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        if let LocalAddress::Unix(path) = &self.address {
            // Somebody may have removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A connection from a local program; TCP_NODELAY is set.
#[derive(Debug)]
pub enum LocalStream {
    /// Over loopback.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

impl AsyncRead for LocalStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for LocalStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_to() {
        let parse = |text: &str| text.parse::<LocalAddress>();
        let tcp = LocalAddress::Tcp("127.0.0.1:26658".parse().unwrap());
        assert_eq!(parse("tcp://127.0.0.1:26658"), Ok(tcp.clone()));
        assert_eq!(parse("127.0.0.1:26658"), Ok(tcp));
        let unix = LocalAddress::Unix("/tmp/a.sock".into());
        assert_eq!(parse("unix:///tmp/a.sock"), Ok(unix));
        assert!(parse("tcp://0.0.0.0:1").unwrap_err().contains("loopback"));
        assert!(parse("unix://").unwrap_err().contains("path"));
        assert!(parse("http://x").unwrap_err().contains("tcp://"));
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile_folder();
        let address = LocalAddress::Unix(folder.join("a.sock"));
        let first = listen_local(&address).await.unwrap();
        let mode = std::fs::metadata(folder.join("a.sock"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let error = listen_local(&address).await.unwrap_err().to_string();
        assert!(error.contains("another process"), "{error}");
        // As after a kill: the file stays, nobody listens.
        let Socket::Unix(_) = &first.socket else {
            panic!("not a Unix socket")
        };
        std::fs::hard_link(folder.join("a.sock"), folder.join("b.sock")).unwrap();
        drop(first);
        let second = listen_local(&LocalAddress::Unix(folder.join("b.sock"))).await;
        assert!(second.is_ok());
        std::fs::write(folder.join("c"), "text").unwrap();
        let error = listen_local(&LocalAddress::Unix(folder.join("c"))).await;
        assert!(error.unwrap_err().to_string().contains("no socket"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn tempfile_folder() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("relaymill-net-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }
}
