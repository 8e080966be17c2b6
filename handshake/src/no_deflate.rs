//! What stands for the parameters of permessage-deflate in a build that does not speak it.

use crate::extension::Extension;
use crate::response_fault::ResponseFault;

pub(crate) const NAME: &str = "permessage-deflate";

/// The parameters of permessage-deflate, which the feature `deflate` has. There is no value of this type, so that what would treat
/// one is not compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeflateParams {}

impl DeflateParams {
    /// A server's choice.
    pub fn choose<'i>(&self, _: impl IntoIterator<Item = Extension<'i>>) -> Option<Self> {
        match *self {}
    }

    /// A client's check of the answer.
    pub fn agree(&self, _: &Extension<'_>) -> Result<Option<Self>, ResponseFault> {
        match *self {}
    }

    pub(crate) fn offer(&self, _: impl FnMut(&str)) {
        match *self {}
    }

    pub(crate) fn answer(&self, _: impl FnMut(&str)) {
        match *self {}
    }
}
