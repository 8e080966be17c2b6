//! Settings as text: TOML, in which a listener's table holds only what differs there.

use super::table::{Kind, Scope};
use super::{InvalidSetting, Listener, Settings};
use crate::address::Address;
use core::fmt;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

/// The key of the listeners, whose tables are laid over all else.
const LISTEN: &str = "listen";
/// The one key of a listener's table that is no setting.
const ADDRESS: &str = "address";

/// Why a text is no settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// It is not TOML; this says where and why.
    Syntax(String),
    /// There is no setting of this name.
    Unknown(String),
    /// A setting is not written as it must be.
    Value {
        /// Its name, `listen[1].max_headers` for that of the second listener.
        setting: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The settings can be read, and make no sense.
    Invalid(InvalidSetting),
}

impl SettingsError {
    /// The setting that is to blame, if it is one.
    pub fn setting(&self) -> Option<&str> {
        match self {
            Self::Syntax(_) => None,
            Self::Unknown(setting) | Self::Value { setting, .. } => Some(setting),
            Self::Invalid(invalid) => Some(invalid.setting),
        }
    }

    /// What is wrong, without the setting's name.
    pub fn reason(&self) -> &str {
        match self {
            Self::Syntax(reason) | Self::Value { reason, .. } => reason,
            Self::Unknown(_) => "there is no such setting",
            Self::Invalid(invalid) => invalid.reason,
        }
    }

    /// The same at a listener.
    fn at(self, at: usize) -> Self {
        let inside = |name: String| format!("{LISTEN}[{at}].{name}");
        match self {
            Self::Unknown(setting) => Self::Unknown(inside(setting)),
            Self::Value { setting, reason } => Self::Value { setting: inside(setting), reason },
            other => other,
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.setting() {
            Some(setting) => write!(f, "{setting}: {}", self.reason()),
            None => f.write_str(self.reason()),
        }
    }
}

impl core::error::Error for SettingsError {}

impl Settings {
    /// Reads TOML and checks what it says; what it does not name has its default.
    ///
    /// `listen` is a list of addresses. Instead of an address it may hold a table: the `address`, and settings that differ for
    /// those who come from there. Names that are no setting's are refused.
    ///
    /// ```
    /// let settings = martlet_std::Settings::from_toml(r#"
    ///     worker_num = 2
    ///     ping_interval = "45s"
    ///     listen = ["127.0.0.1:9501", { address = "unix:/run/martlet.sock", ping_interval = 0 }]
    /// "#)?;
    /// assert_eq!(settings.listen.len(), 2);
    /// # Ok::<(), martlet_std::SettingsError>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        Self::from_toml_and(text, [])
    }

    /// The same, with settings that replace those of the text: name and value, as they come from a command line. In lists, commas
    /// separate the elements; a name may come several times for a list.
    pub fn from_toml_and<'s>(
        text: &str,
        others: impl IntoIterator<Item = (&'s str, &'s str)>,
    ) -> Result<Self, SettingsError> {
        let mut table: Table = text.parse().map_err(|error| syntax(text, &error))?;
        let mut replaced = Table::new();
        for (name, word) in others {
            let kind = Self::setting(name).ok_or_else(|| SettingsError::Unknown(name.to_owned()))?.kind;
            match (replaced.get_mut(name), value(kind, word)) {
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
                (_, value) => {
                    replaced.insert(name.to_owned(), value);
                }
            }
        }
        table.extend(replaced);
        let settings = Self::from_table(table)?;
        settings.check().map_err(SettingsError::Invalid)?;
        Ok(settings)
    }

    fn from_table(mut table: Table) -> Result<Self, SettingsError> {
        let listeners = table.remove(LISTEN);
        let mut settings = read(&table)?;
        if let Some(listeners) = listeners {
            let Value::Array(listeners) = listeners else {
                return Err(wrong(LISTEN, "a list of addresses is wanted"));
            };
            let listeners = listeners.into_iter().enumerate();
            settings.listen = listeners
                .map(|(at, text)| listener(&table, text).map_err(|error| error.at(at)))
                .collect::<Result<_, _>>()?;
        }
        Ok(settings)
    }

    fn to_table(&self) -> Result<Table, toml::ser::Error> {
        let mut table = own_table(self)?;
        let mut listeners = Vec::new();
        for Listener { address, settings } in &self.listen {
            let address = Value::String(address.to_string());
            listeners.push(match settings {
                None => address,
                Some(own) => {
                    let mut own = own_table(own)?;
                    own.retain(|name, value| table.get(name) != Some(value));
                    own.insert(ADDRESS.to_owned(), address);
                    Value::Table(own)
                }
            });
        }
        table.insert(LISTEN.to_owned(), Value::Array(listeners));
        Ok(table)
    }
}

/// All settings but the listeners.
fn own_table(settings: &Settings) -> Result<Table, toml::ser::Error> {
    struct Own<'s>(&'s Settings);
    impl Serialize for Own<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            // The derived one, which leaves the listeners out.
            Settings::serialize(self.0, serializer)
        }
    }
    Table::try_from(Own(settings))
}

/// Reads all settings but the listeners, and says which one is to blame.
fn read(table: &Table) -> Result<Settings, SettingsError> {
    for (name, value) in table {
        if Settings::setting(name).is_none() {
            return Err(SettingsError::Unknown(name.clone()));
        }
        let alone = Table::from_iter([(name.clone(), value.clone())]);
        Settings::deserialize(Value::Table(alone)).map_err(|error| wrong(name, error.message()))?;
    }
    Settings::deserialize(Value::Table(table.clone()))
        .map_err(|error| SettingsError::Syntax(error.message().to_owned()))
}

/// Reads an element of `listen`, whose settings are laid over those of the server.
fn listener(server: &Table, text: Value) -> Result<Listener, SettingsError> {
    match text {
        Value::String(address) => Ok(read_address(&address)?.into()),
        Value::Table(mut own) => {
            let Some(Value::String(address)) = own.remove(ADDRESS) else {
                return Err(wrong(ADDRESS, "a text such as \"127.0.0.1:9501\" is wanted"));
            };
            let address = read_address(&address)?;
            for name in own.keys() {
                if Settings::setting(name).is_some_and(|setting| setting.scope == Scope::Server) {
                    return Err(wrong(name, "is for the server as a whole, and cannot differ at a listener"));
                }
            }
            let mut all = server.clone();
            all.extend(own);
            // What the server listens on is none of a listener's settings, and comes from the defaults.
            Ok(Listener { address, settings: Some(Box::new(read(&all)?)) })
        }
        _ => Err(wrong(ADDRESS, "an address or a table is wanted")),
    }
}

fn read_address(text: &str) -> Result<Address, SettingsError> {
    text.parse().map_err(|error: crate::InvalidAddress| wrong(ADDRESS, &error.to_string()))
}

fn wrong(setting: &str, reason: &str) -> SettingsError {
    SettingsError::Value { setting: setting.to_owned(), reason: reason.trim_end().replace('\n', " ") }
}

/// In one line: where, and what.
fn syntax(text: &str, error: &toml::de::Error) -> SettingsError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    SettingsError::Syntax(format!("line {line}: {}", error.message().trim_end().replace('\n', ", ")))
}

/// A word of the command line as it would stand in a file. One that does not fit stays a text, and is refused as such.
fn value(kind: Kind, word: &str) -> Value {
    let text = || Value::String(word.to_owned());
    match kind {
        Kind::Number => word.parse().map_or_else(|_| text(), Value::Integer),
        Kind::Switch => word.parse().map_or_else(|_| text(), Value::Boolean),
        Kind::Time => word.parse().map_or_else(|_| text(), Value::Float),
        Kind::Word(_) | Kind::Path => text(),
        Kind::Texts | Kind::Addresses => {
            let elements = word.split(',').map(|element| Value::String(element.trim().to_owned()));
            Value::Array(elements.collect())
        }
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Table::deserialize(deserializer)?;
        Self::from_table(table).map_err(D::Error::custom)
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_table().map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
