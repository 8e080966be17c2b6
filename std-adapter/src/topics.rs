//! Groups of connections: topics that many subscribe to, and the keys of users.

use crate::context::{Context, Place};
use crate::error::PushError;
use crate::flags::Flag;
use crate::frame::Outgoing;
use crate::handle::Handle;
use crate::id::ConnId;
use crate::mailbox::Command;
use crate::multicast::Multicast;
use crate::slot::Slot;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The groups of one worker's connections, by name. A group without members is not kept.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    topics: HashMap<Arc<str>, BTreeSet<u32>>,
    users: HashMap<Arc<str>, BTreeSet<u32>>,
}

/// Who a message is for.
#[derive(Clone, Debug)]
pub(crate) enum Group {
    /// The subscribers of this topic.
    Topic(Arc<str>),
    /// The connections with this key.
    User(Arc<str>),
}

impl Group {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Topic(name) | Self::User(name) => name,
        }
    }
}

/// A change of the groups that a connection is in.
#[derive(Debug)]
pub(crate) enum Change {
    Subscribe(Arc<str>),
    Unsubscribe(Arc<str>),
    Bind(Arc<str>),
    Unbind,
}

impl Change {
    /// Octets that it keeps.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Subscribe(name) | Self::Unsubscribe(name) | Self::Bind(name) => name.len(),
            Self::Unbind => 0,
        }
    }
}

impl Groups {
    /// The slots of a group's members, in their order.
    fn members(&self, group: &Group) -> Vec<usize> {
        let members = match group {
            Group::Topic(name) => self.topics.get(name),
            Group::User(name) => self.users.get(name),
        };
        members.into_iter().flatten().map(|key| *key as usize).collect()
    }

    /// Forgets a slot whose connection has ended.
    pub(crate) fn forget(&mut self, key: usize, slot: &mut Slot<'_>) {
        let Some(extras) = &mut slot.extras else { return };
        for topic in extras.topics.drain(..) {
            take_out(&mut self.topics, &topic, key);
        }
        if let Some(user) = extras.user.take() {
            take_out(&mut self.users, &user, key);
        }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.users.is_empty()
    }
}

/// Puts a slot into a group and says by which name the group goes, so that all members share one.
fn put_in(groups: &mut HashMap<Arc<str>, BTreeSet<u32>>, name: Arc<str>, key: usize) -> Arc<str> {
    let shared = groups.get_key_value(&name).map_or(name, |(name, _)| Arc::clone(name));
    groups.entry(Arc::clone(&shared)).or_default().insert(key as u32);
    shared
}

fn take_out(groups: &mut HashMap<Arc<str>, BTreeSet<u32>>, name: &str, key: usize) {
    if let Some(members) = groups.get_mut(name) {
        members.remove(&(key as u32));
        if members.is_empty() {
            groups.remove(name);
        }
    }
}

/// Changes the groups of a slot that is established.
fn regroup(groups: &mut Groups, key: usize, slot: &mut Slot<'_>, change: Change) -> Result<(), PushError> {
    if !slot.flags.has(Flag::Opened) {
        return Err(PushError::NotEstablished);
    }
    if !slot.is_established() {
        return Err(PushError::Closing);
    }
    let most = slot.profile.settings.max_topics;
    match change {
        Change::Subscribe(name) => {
            let topics = &mut slot.extras.get_or_insert_default().topics;
            if topics.contains(&name) {
                return Ok(());
            }
            if topics.len() as u64 >= u64::from(most) {
                return Err(PushError::TooManyTopics(most));
            }
            topics.push(put_in(&mut groups.topics, name, key));
        }
        Change::Unsubscribe(name) => {
            let Some(extras) = &mut slot.extras else { return Ok(()) };
            extras.topics.retain(|topic| *topic != name);
            take_out(&mut groups.topics, &name, key);
            slot.tidy();
        }
        Change::Bind(name) => {
            let user = &mut slot.extras.get_or_insert_default().user;
            if let Some(before) = user.take() {
                take_out(&mut groups.users, &before, key);
            }
            *user = Some(put_in(&mut groups.users, name, key));
        }
        Change::Unbind => {
            if let Some(before) = slot.extras.as_mut().and_then(|extras| extras.user.take()) {
                take_out(&mut groups.users, &before, key);
                slot.tidy();
            }
        }
    }
    Ok(())
}

impl Context<'_> {
    /// Subscribes a connection to a topic, until it unsubscribes or ends; twice is once. At most
    /// [`max_topics`](crate::Settings::max_topics) for a connection, which a connection of another worker cannot be told here:
    /// there `Ok` means what it means for [`Handle::subscribe`].
    pub fn subscribe(&mut self, id: ConnId, topic: &str) -> Result<(), PushError> {
        self.change(id, Change::Subscribe(topic.into()))
    }

    /// Ends a subscription; none is no error.
    pub fn unsubscribe(&mut self, id: ConnId, topic: &str) -> Result<(), PushError> {
        self.change(id, Change::Unsubscribe(topic.into()))
    }

    /// Gives a connection the key of its user, in place of the one it had. Many connections may have the same.
    pub fn bind(&mut self, id: ConnId, key: &str) -> Result<(), PushError> {
        self.change(id, Change::Bind(key.into()))
    }

    /// Takes the key away; none is no error.
    pub fn unbind(&mut self, id: ConnId) -> Result<(), PushError> {
        self.change(id, Change::Unbind)
    }

    /// Sends a whole message to the subscribers of a topic, of all workers: it is encoded once. Errors are those of
    /// [`broadcast`](Self::broadcast).
    pub fn publish<'m>(&mut self, topic: &str, message: impl Into<Outgoing<'m>>) -> Result<(), PushError> {
        self.push_to_group(Group::Topic(topic.into()), &message.into())
    }

    /// Sends a whole message to all connections with this key, of all workers: it is encoded once. Errors are those of
    /// [`broadcast`](Self::broadcast).
    pub fn push_to_user<'m>(&mut self, key: &str, message: impl Into<Outgoing<'m>>) -> Result<(), PushError> {
        self.push_to_group(Group::User(key.into()), &message.into())
    }

    /// The topics that a connection of this worker is subscribed to.
    pub fn topics(&self, id: ConnId) -> impl Iterator<Item = &str> {
        let extras = self.slot(id).and_then(|slot| slot.extras.as_deref());
        extras.into_iter().flat_map(|extras| &extras.topics).map(|topic| &**topic)
    }

    /// The key that a connection of this worker has; also while its end is told.
    pub fn user(&self, id: ConnId) -> Option<&str> {
        self.slot(id)?.extras.as_ref()?.user.as_deref()
    }

    pub(crate) fn change(&mut self, id: ConnId, change: Change) -> Result<(), PushError> {
        match self.find(id) {
            Place::Here(key) => regroup(&mut self.groups, key, &mut self.slots[key], change),
            Place::Elsewhere => self.handle.post(id, Command::Change { id, change }),
            Place::Nowhere => Err(PushError::Gone),
        }
    }

    fn push_to_group(&mut self, group: Group, message: &Outgoing<'_>) -> Result<(), PushError> {
        let frame = self.handle.multicast(message)?;
        let here = self.push_to_group_here(&group, &frame);
        let except = Some(usize::from(self.worker));
        let command = || Command::Group { group: group.clone(), frame: Arc::clone(&frame) };
        self.handle.post_to_all(except, command).and(here)
    }

    pub(crate) fn push_to_group_here(&mut self, group: &Group, frame: &Arc<Multicast>) -> Result<(), PushError> {
        let mut done = Ok(());
        for key in self.groups.members(group) {
            if self.slots.get(key).is_some_and(Slot::is_established) {
                done = done.and(self.send_to_one_of_many(key, frame));
            }
        }
        done
    }
}

impl Handle {
    /// Subscribes a connection to a topic, until it unsubscribes or ends; twice is once. If it has
    /// [`max_topics`](crate::Settings::max_topics) already, the log says so.
    pub fn subscribe(&self, id: ConnId, topic: &str) -> Result<(), PushError> {
        self.post(id, Command::Change { id, change: Change::Subscribe(topic.into()) })
    }

    /// Ends a subscription; none is no error.
    pub fn unsubscribe(&self, id: ConnId, topic: &str) -> Result<(), PushError> {
        self.post(id, Command::Change { id, change: Change::Unsubscribe(topic.into()) })
    }

    /// Gives a connection the key of its user, in place of the one it had. Many connections may have the same.
    pub fn bind(&self, id: ConnId, key: &str) -> Result<(), PushError> {
        self.post(id, Command::Change { id, change: Change::Bind(key.into()) })
    }

    /// Takes the key away; none is no error.
    pub fn unbind(&self, id: ConnId) -> Result<(), PushError> {
        self.post(id, Command::Change { id, change: Change::Unbind })
    }

    /// Sends a whole message to the subscribers of a topic, of all workers; it is encoded once.
    pub fn publish<'m>(&self, topic: &str, message: impl Into<Outgoing<'m>>) -> Result<(), PushError> {
        self.push_to_group(&Group::Topic(topic.into()), &message.into())
    }

    /// Sends a whole message to all connections with this key, of all workers; it is encoded once.
    pub fn push_to_user<'m>(&self, key: &str, message: impl Into<Outgoing<'m>>) -> Result<(), PushError> {
        self.push_to_group(&Group::User(key.into()), &message.into())
    }

    fn push_to_group(&self, group: &Group, message: &Outgoing<'_>) -> Result<(), PushError> {
        let frame = self.multicast(message)?;
        self.post_to_all(None, || Command::Group { group: group.clone(), frame: Arc::clone(&frame) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_share_a_name_and_an_empty_group_is_not_kept() {
        let mut groups = Groups::default();
        let first = put_in(&mut groups.topics, "news".into(), 1);
        let second = put_in(&mut groups.topics, "news".into(), 0);
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(groups.members(&Group::Topic("news".into())), [0, 1]);
        assert!(groups.members(&Group::User("news".into())).is_empty());
        take_out(&mut groups.topics, "news", 1);
        take_out(&mut groups.topics, "news", 7);
        assert_eq!(groups.members(&Group::Topic("news".into())), [0]);
        take_out(&mut groups.topics, "news", 0);
        assert!(groups.is_empty());
    }
}
