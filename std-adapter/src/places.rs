//! How many connections there are, in all and from where; asked only when one comes or goes.

use crate::address::Peer;
use crate::settings::Settings;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The places for connections of all workers.
#[derive(Debug)]
pub(crate) struct Places {
    open: AtomicU32,
    most: u32,
    /// Of each network, if that is bounded.
    networks: Mutex<HashMap<Network, u32>>,
    /// 0 for any number.
    most_of_one: u32,
}

/// Who counts as one: an IPv4 address, or the 64 bits that an IPv6 host chooses the rest of its address under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    V4(u32),
    V6(u64),
}

impl Network {
    fn of(peer: Peer) -> Option<Self> {
        let Peer::Tcp(address) = peer else { return None };
        Some(match address.ip().to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        })
    }
}

impl Places {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            open: AtomicU32::new(0),
            most: settings.max_connection,
            networks: Mutex::default(),
            most_of_one: settings.max_connection_per_ip,
        }
    }

    /// Connections that have a place.
    pub(crate) fn count(&self) -> u32 {
        self.open.load(Ordering::Relaxed)
    }

    /// Takes a place, if there is one.
    pub(crate) fn enter(&self) -> bool {
        let more = |open| (open < self.most).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Gives the place back that [`enter`](Self::enter) took, when nobody has come to have it.
    pub(crate) fn cancel(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Says who has the place that [`enter`](Self::enter) took; gives it back if this one has enough of them.
    pub(crate) fn seat(&self, peer: Peer) -> bool {
        let Some(network) = self.bounded(peer) else { return true };
        let mut networks = self.lock();
        let count = networks.entry(network).or_default();
        if *count >= self.most_of_one {
            drop(networks);
            self.cancel();
            return false;
        }
        *count += 1;
        true
    }

    /// Gives back the place of somebody who was [seated](Self::seat).
    pub(crate) fn leave(&self, peer: Peer) {
        self.cancel();
        let Some(network) = self.bounded(peer) else { return };
        let mut networks = self.lock();
        if let Some(count) = networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                networks.remove(&network);
            }
        }
    }

    fn bounded(&self, peer: Peer) -> Option<Network> {
        Network::of(peer).filter(|_| self.most_of_one != 0)
    }

    /// A panic elsewhere cannot leave the numbers half-changed.
    fn lock(&self) -> MutexGuard<'_, HashMap<Network, u32>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::Tcp(address.parse().unwrap())
    }

    #[test]
    fn an_ipv6_network_is_one_and_unix_peers_are_not_counted() {
        let places = Places::new(&Settings { max_connection: 100, max_connection_per_ip: 2, ..Settings::default() });
        let come = |peer| places.enter() && places.seat(peer);
        for _ in 0..5 {
            assert!(come(Peer::Unix));
        }
        for (first, second) in
            [("192.0.2.1:1", "[::ffff:192.0.2.1]:2"), ("[2001:db8::1]:1", "[2001:db8:0:0:ffff::2]:2")]
        {
            assert!(come(peer(first)) && come(peer(second)));
            assert!(!come(peer(first)) && !come(peer(second)));
        }
        assert!(come(peer("192.0.2.2:1")) && come(peer("[2001:db8:0:1::1]:1")));
        assert_eq!(places.count(), 11);
        places.leave(peer("192.0.2.1:9"));
        assert!(come(peer("192.0.2.1:1")) && !come(peer("192.0.2.1:1")));
    }

    #[test]
    fn nothing_is_kept_of_those_who_are_gone() {
        let places = Places::new(&Settings { max_connection: 2, max_connection_per_ip: 1, ..Settings::default() });
        for octet in 0..=255 {
            let peer = Peer::Tcp(([192, 0, 2, octet], 1).into());
            assert!(places.enter() && places.seat(peer));
            places.leave(peer);
        }
        assert_eq!((places.count(), places.lock().len()), (0, 0));
        assert!(places.enter() && places.enter() && !places.enter());
        places.cancel();
        assert!(places.enter());
    }
}
