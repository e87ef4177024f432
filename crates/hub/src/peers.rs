//! Connections that are too many, too slow or too silent.
//!
//! Every connection holds a task, two buffers and perhaps a session, so none may stay that
//! nobody uses. What is inside TLS is watched here, byte by byte; what a request may take is
//! watched where requests are known ([`body_in_time`]).

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::refusal::Refused;

/// How many connections each address has.
#[derive(Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection that is counted; dropping it counts it out.
pub(crate) struct Counted {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more connection from `address`; none if there are `most` already.
    pub fn enter(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let address = network(address);
        let mut all = self.lock();
        let n = all.entry(address).or_default();
        if *n >= most {
            return None;
        }
        *n += 1;
        Some(Counted {
            addresses: self.clone(),
            address,
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.addresses.lock();
        if let Some(n) = all.get_mut(&self.address) {
            *n -= 1;
            if *n == 0 {
                all.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: with IPv6 the network of 64 bits, as a single machine has all
/// of it to choose from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::V6(octets.into())
        }
        v4 => v4,
    }
}

/// A stream that ends when its peer takes in nothing for `stall`, or gives no sign of life for
/// `silence`: neither says something nor takes in what waited for it. That the system took
/// something to send is no sign.
pub(crate) struct Watched<S> {
    inner: S,
    stall: Duration,
    silence: Duration,
    /// What `silence` becomes once the peer said something.
    then: Duration,
    /// Since when a write waits; none while none does.
    waits_since: Option<Instant>,
    moved: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl<S> Watched<S> {
    /// Watches `inner` from now on. The peer must say something within `first`.
    pub fn new(inner: S, first: Duration, stall: Duration, silence: Duration) -> Self {
        let now = Instant::now();
        Self {
            inner,
            stall,
            silence: first,
            then: silence,
            waits_since: None,
            moved: now,
            alarm: Box::pin(sleep_until(now + first.min(stall))),
        }
    }

    fn has_moved(&mut self) {
        self.moved = Instant::now();
        self.waits_since = None;
    }

    /// Ready when the peer has had its time.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let silent = self.moved + self.silence;
            let ends = match self.waits_since {
                Some(since) => silent.min(since + self.stall),
                None => silent,
            };
            if ends <= Instant::now() {
                return Poll::Ready(());
            }
            // The alarm is set anew only when it must ring earlier or has rung.
            if self.alarm.deadline() > ends {
                self.alarm.as_mut().reset(ends);
            }
            if self.alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.alarm.as_mut().reset(ends);
        }
    }

    fn or_late<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
        writes: bool,
    ) -> Poll<io::Result<T>> {
        match polled {
            Poll::Ready(done) => {
                if !writes || self.waits_since.is_some() {
                    self.has_moved();
                }
                Poll::Ready(done)
            }
            Poll::Pending => {
                if writes && self.waits_since.is_none() {
                    self.waits_since = Some(Instant::now());
                }
                match self.poll_patience(cx) {
                    Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let waits_since = self.waits_since;
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if polled.is_ready() {
            self.silence = self.then;
        }
        let polled = self.or_late(cx, polled, false);
        // That the peer says something does not mean that it takes something in.
        self.waits_since = waits_since;
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.or_late(cx, polled, true)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_flush(cx) {
            // There may have been nothing to flush; that is no sign of life.
            Poll::Ready(done) => {
                self.waits_since = None;
                Poll::Ready(done)
            }
            pending => self.or_late(cx, pending, true),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.or_late(cx, polled, true)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.or_late(cx, polled, true)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// Reads the whole body of a request before anything is done with it; refuses one that is too
/// long or does not come in time.
pub(crate) async fn body_in_time(
    request: Request,
    next: Next,
    most: usize,
    time: Duration,
) -> Response {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(time, to_bytes(body, most)).await {
        Ok(Ok(bytes)) => {
            let request = Request::from_parts(parts, Body::from(bytes));
            next.run(request).await
        }
        Ok(Err(_)) => Refused::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request.too_large",
            "the request is longer than this hub reads, or broke off",
            "Send less.",
        )
        .into_response(),
        Err(_) => Refused::new(
            StatusCode::REQUEST_TIMEOUT,
            "request.too_slow",
            "the request did not come in time",
            "Try again over a better connection.",
        )
        .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Short, and far enough from each other that a busy machine does not confuse them.
    const STALL: Duration = Duration::from_millis(200);
    const SILENCE: Duration = Duration::from_millis(2_000);

    fn watched() -> (Watched<tokio::io::DuplexStream>, tokio::io::DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Watched::new(ours, SILENCE, STALL, SILENCE), theirs)
    }

    #[tokio::test]
    async fn silence_ends_it() {
        let (mut ours, _theirs) = watched();
        let began = Instant::now();
        let error = ours.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= SILENCE);
    }

    #[tokio::test]
    async fn the_first_word_must_come_sooner() {
        let (ours, mut theirs) = duplex(64);
        let mut ours = Watched::new(ours, STALL, SILENCE, SILENCE);
        let began = Instant::now();
        ours.read_u8().await.unwrap_err();
        assert!((STALL..SILENCE).contains(&began.elapsed()));
        let (ours, mut again) = duplex(64);
        let mut ours = Watched::new(ours, STALL, SILENCE, SILENCE);
        again.write_u8(1).await.unwrap();
        ours.read_u8().await.unwrap();
        let began = Instant::now();
        ours.read_u8().await.unwrap_err();
        assert!(began.elapsed() >= SILENCE - STALL);
        let _ = theirs.shutdown().await;
    }

    #[tokio::test]
    async fn what_is_sent_into_the_void_is_no_sign_of_life() {
        let (ours, _theirs) = watched();
        let (mut reading, mut writing) = tokio::io::split(ours);
        let began = Instant::now();
        let asking = async {
            loop {
                tokio::time::sleep(SILENCE / 10).await;
                writing.write_u8(1).await.unwrap();
            }
        };
        tokio::select! {
            error = reading.read_u8() => {
                assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
            }
            () = asking => {}
        }
        assert!(began.elapsed() >= SILENCE);
    }

    #[tokio::test]
    async fn a_sign_of_life_begins_the_time_anew() {
        let (mut ours, mut theirs) = watched();
        let began = Instant::now();
        let speaking = async {
            for _ in 0..4 {
                tokio::time::sleep(SILENCE / 4).await;
                theirs.write_u8(1).await.unwrap();
            }
        };
        let listening = async {
            for _ in 0..4 {
                ours.read_u8().await.unwrap();
            }
            ours.read_u8().await.unwrap_err()
        };
        let ((), error) = tokio::join!(speaking, listening);
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= SILENCE * 2);
    }

    #[tokio::test]
    async fn who_speaks_but_takes_nothing_in_is_left_sooner() {
        let (ours, mut theirs) = watched();
        let (mut reading, mut writing) = tokio::io::split(ours);
        let began = Instant::now();
        let talking = async {
            while theirs.write_u8(1).await.is_ok() {
                tokio::time::sleep(STALL / 5).await;
            }
        };
        let listening = async { while reading.read_u8().await.is_ok() {} };
        tokio::select! {
            error = writing.write_all(&[0; 1000]) => {
                assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
            }
            _ = async { tokio::join!(talking, listening) } => panic!("nobody left"),
        }
        assert!((STALL..SILENCE).contains(&began.elapsed()));
    }

    #[tokio::test]
    async fn a_slow_reader_that_reads_is_waited_for() {
        let (mut ours, mut theirs) = watched();
        let reading = async {
            let mut got = 0;
            while got < 640 {
                tokio::time::sleep(STALL / 4).await;
                got += theirs.read(&mut [0; 64]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(ours.write_all(&[0; 640]), reading);
        written.unwrap();
    }

    #[test]
    fn an_address_has_so_many_and_gives_them_back() {
        let addresses = Addresses::default();
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let held: Vec<_> = (0..3).map(|_| addresses.enter(one, 3)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(addresses.enter(one, 3).is_none());
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert!(addresses.enter(mapped, 3).is_none(), "the same machine");
        assert!(addresses.enter("192.0.2.2".parse().unwrap(), 3).is_some());
        drop(held);
        assert!(addresses.enter(one, 3).is_some());
        assert!(addresses.lock().is_empty());
        let of_64: Vec<_> = ["2001:db8::1", "2001:db8::2"]
            .map(|a| addresses.enter(a.parse().unwrap(), 1).is_some())
            .into();
        assert_eq!(of_64, [true, true], "each was dropped at once");
        let first = addresses.enter("2001:db8::1".parse().unwrap(), 1);
        assert!(addresses.enter("2001:db8::2".parse().unwrap(), 1).is_none());
        drop(first);
    }
}
