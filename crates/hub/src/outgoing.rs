//! Frames on their way between a socket and its session, bounded in number and in bytes.
//!
//! Whoever is slow makes the other side wait, never the hub hold more.

use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Frames that may wait in one direction.
const MAX_FRAMES: usize = 256;

/// 16 MiB: what may wait in one direction, beside a single longer frame.
const MAX_BYTES: usize = 16 << 20;

/// Where frames are put, with something that goes along.
#[derive(Debug)]
pub(crate) struct Put<T = ()> {
    frames: Sender<Held<T>>,
    room: Arc<Semaphore>,
}

impl<T> Clone for Put<T> {
    fn clone(&self) -> Self {
        Self {
            frames: self.frames.clone(),
            room: self.room.clone(),
        }
    }
}

/// Where they are taken.
pub(crate) type Take<T = ()> = Receiver<Held<T>>;

/// A frame and the room it takes.
#[derive(Debug)]
pub(crate) struct Held<T = ()> {
    text: String,
    with: T,
    _room: OwnedSemaphorePermit,
}

impl<T> Held<T> {
    /// The frame, whose room is free now.
    pub fn take(self) -> (String, T) {
        (self.text, self.with)
    }
}

/// A way for frames.
pub(crate) fn way<T>() -> (Put<T>, Take<T>) {
    let (frames, take) = channel(MAX_FRAMES);
    let room = Arc::new(Semaphore::new(MAX_BYTES));
    (Put { frames, room }, take)
}

impl<T> Put<T> {
    /// Waits for room; whether anybody takes it.
    pub async fn put(&self, text: String, with: T) -> bool {
        let Ok(room) = self.room.clone().acquire_many_owned(size(&text)).await else {
            return false;
        };
        let held = Held {
            text,
            with,
            _room: room,
        };
        self.frames.send(held).await.is_ok()
    }

    /// Whether there was room for it.
    pub fn try_put(&self, text: String, with: T) -> bool {
        let Ok(room) = self.room.clone().try_acquire_many_owned(size(&text)) else {
            return false;
        };
        let held = Held {
            text,
            with,
            _room: room,
        };
        self.frames.try_send(held).is_ok()
    }
}

fn size(text: &str) -> u32 {
    text.len().min(MAX_BYTES) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes() {
        let (put, mut take) = way();
        let third = "x".repeat(MAX_BYTES / 3);
        for _ in 0..3 {
            assert!(put.try_put(third.clone(), ()));
        }
        assert!(!put.try_put(third.clone(), ()));
        drop(take.recv().await);
        assert!(put.try_put(third.clone(), ()));
        // A frame longer than all the room waits for all of it.
        assert!(!put.try_put("x".repeat(2 * MAX_BYTES), ()));
        while take.try_recv().is_ok() {}
        assert!(put.try_put("x".repeat(2 * MAX_BYTES), ()));
        assert!(!put.try_put("x".into(), ()));
    }

    #[tokio::test]
    async fn and_in_number() {
        let (put, _take) = way();
        let n = (0..1000).filter(|_| put.try_put("x".into(), ())).count();
        assert_eq!(n, MAX_FRAMES);
    }
}
