//! The loop: the only place that holds the model mutably.

pub mod carry;
pub mod console;
pub mod history;
mod hurry;
pub mod inquire;
pub mod keep;
pub mod operate;
pub mod session;

/// Fills a buffer from the operating system's randomness, for keys that guard values on this machine.
///
/// When the system gives none, a generator seeded by time and address stands in: weaker, but never a constant.
pub fn random(buffer: &mut [u8]) {
    let provider = rustls::crypto::ring::default_provider();
    if provider.secure_random.fill(buffer).is_err() {
        fastrand::Rng::new().fill(buffer);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_keys_differ() {
        let (mut a, mut b) = ([0_u8; 32], [0_u8; 32]);
        super::random(&mut a);
        super::random(&mut b);
        assert_ne!(a, b);
    }
}
