//! What `serve` is to do, put together from the command line, a config file and the defaults.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::{Common, LogFormat, ServeArgs};
use crate::failure::Failure;

/// The data folder where none is named.
pub(crate) const DATA: &str = "./imapd-data";
const LISTEN: &str = "127.0.0.1:1143";
const LISTEN_TLS: &str = "127.0.0.1:1993";

/// Every setting of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) log_format: LogFormat,
    /// With STARTTLS.
    pub(crate) listen: Vec<String>,
    /// With TLS from the start.
    pub(crate) listen_tls: Vec<String>,
    /// Certificate and key; `None`: our own.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) insecure_auth: bool,
    /// Whether texts are indexed for SEARCH.
    pub(crate) search_index: bool,
    /// The most connections in all, of one user, from one address; `None`: as the server has it.
    pub(crate) most: [Option<u32>; 3],
}

impl Config {
    /// What the command line says, then the file that it names, then the defaults.
    ///
    /// # Errors
    /// The file is not there or says something that is not understood; the settings contradict each other.
    pub(crate) fn new(common: Common, args: ServeArgs) -> Result<Self, Failure> {
        let file = match &args.config {
            Some(path) => File::read(path)?,
            None => File::default(),
        };
        Self::merge(common, args, file)
    }

    fn merge(common: Common, args: ServeArgs, file: File) -> Result<Self, Failure> {
        let tls = match (args.tls_cert.or(file.tls_cert), args.tls_key.or(file.tls_key)) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => return Err(Failure::usage("--tls-cert needs --tls-key beside it")),
            (None, Some(_)) => return Err(Failure::usage("--tls-key needs --tls-cert beside it")),
        };
        let listen = addresses(args.listen, file.listen, LISTEN, "--listen")?;
        let listen_tls = addresses(args.listen_tls, file.listen_tls, LISTEN_TLS, "--listen-tls")?;
        if listen.is_empty() && listen_tls.is_empty() {
            return Err(Failure::usage(
                "--listen and --listen-tls are both `none`: the server would hear nobody",
            ));
        }
        Ok(Self {
            data: common.data.or(file.data).unwrap_or_else(|| DATA.into()),
            log_format: common.log_format.or(file.log_format).unwrap_or_default(),
            listen,
            listen_tls,
            tls,
            insecure_auth: args.insecure_auth || file.insecure_auth.unwrap_or(false),
            search_index: !args.no_search_index && file.search_index.unwrap_or(true),
            most: [
                at_least_one(args.max_connections.or(file.max_connections), "max-connections")?,
                at_least_one(args.max_per_user.or(file.max_per_user), "max-per-user")?,
                at_least_one(args.max_per_address.or(file.max_per_address), "max-per-address")?,
            ],
        })
    }
}

fn at_least_one(number: Option<u32>, option: &str) -> Result<Option<u32>, Failure> {
    match number {
        Some(0) => Err(Failure::usage(format!("{option} cannot be 0: nobody could connect"))),
        other => Ok(other),
    }
}

fn addresses(args: Vec<String>, file: Option<OneOrMore>, default: &str, option: &str) -> Result<Vec<String>, Failure> {
    let all = match file {
        _ if !args.is_empty() => args,
        Some(OneOrMore::One(one)) => vec![one],
        Some(OneOrMore::More(all)) => all,
        None => vec![default.to_owned()],
    };
    let is_off = |a: &String| a.is_empty() || a == "none";
    if !all.iter().any(is_off) {
        return Ok(all);
    }
    if all.len() > 1 {
        return Err(Failure::usage(format!("{option} cannot be `none` and an address")));
    }
    Ok(Vec::new())
}

/// A config file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    log_format: Option<LogFormat>,
    listen: Option<OneOrMore>,
    listen_tls: Option<OneOrMore>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    insecure_auth: Option<bool>,
    search_index: Option<bool>,
    max_connections: Option<u32>,
    max_per_user: Option<u32>,
    max_per_address: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected an address in quotes, or a list of them")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl File {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::new(format!("the config file {} cannot be read: {e}", path.display())))?;
        let mut file = Self::parse(&text).map_err(|why| Failure::new(format!("{}, {why}", path.display())))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for path in [&mut file.data, &mut file.tls_cert, &mut file.tls_key]
            .into_iter()
            .flatten()
        {
            *path = folder.join(&*path);
        }
        Ok(file)
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|e| {
            let before = text.get(..e.span().map_or(0, |s| s.start)).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            format!("line {line}: {}", e.message().replace('\n', ", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(args: ServeArgs, file: &str) -> Result<Config, String> {
        let common = Common {
            data: None,
            log_format: None,
        };
        let file = File::parse(file)?;
        Config::merge(common, args, file).map_err(|e| e.to_string())
    }

    fn listen(addresses: &[&str]) -> ServeArgs {
        ServeArgs {
            listen: addresses.iter().map(|a| (*a).to_owned()).collect(),
            ..ServeArgs::default()
        }
    }

    #[test]
    fn without_options_it_listens_on_loopback() {
        let config = config(ServeArgs::default(), "").unwrap();
        let expected = Config {
            data: "./imapd-data".into(),
            log_format: LogFormat::Text,
            listen: vec!["127.0.0.1:1143".into()],
            listen_tls: vec!["127.0.0.1:1993".into()],
            tls: None,
            insecure_auth: false,
            search_index: true,
            most: [None; 3],
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn a_file_can_say_everything_and_the_command_line_wins() {
        let file = "data = '/d'\nlog-format = 'json'\nlisten = 'a:1'\nlisten-tls = ['b:2', 'c:3']\ntls-cert = 'x'\n\
                    tls-key = 'y'\ninsecure-auth = true\nsearch-index = false\nmax-connections = 3\nmax-per-user = 2\n\
                    max-per-address = 1\n";
        let said = config(ServeArgs::default(), file).unwrap();
        let expected = Config {
            data: "/d".into(),
            log_format: LogFormat::Json,
            listen: vec!["a:1".into()],
            listen_tls: vec!["b:2".into(), "c:3".into()],
            tls: Some(("x".into(), "y".into())),
            insecure_auth: true,
            search_index: false,
            most: [Some(3), Some(2), Some(1)],
        };
        assert_eq!(said, expected);
        assert_eq!(config(listen(&["d:4"]), file).unwrap().listen, ["d:4"]);
        assert_eq!(config(listen(&["none"]), file).unwrap().listen, [""; 0]);
        let more = ServeArgs {
            max_per_user: Some(9),
            ..ServeArgs::default()
        };
        assert_eq!(config(more, file).unwrap().most, [Some(3), Some(9), Some(1)]);
    }

    #[test]
    fn what_a_file_says_wrong_is_named_with_its_line() {
        let table = [
            ("data = 'x'\nlisen = 'a:1'\n", "line 2: unknown field `lisen`"),
            ("\n\ninsecure-auth = 'yes'\n", "line 3: invalid type: string \"yes\""),
            (
                "listen = 143\n",
                "line 1: expected an address in quotes, or a list of them",
            ),
            ("log-format = 'xml'\n", "line 1: unknown variant `xml`"),
            ("max-per-user = -1\n", "line 1: invalid value: integer `-1`"),
            ("data = \n", "line 1: "),
        ];
        for (file, start) in table {
            let error = config(ServeArgs::default(), file).unwrap_err();
            assert!(error.starts_with(start), "{file:?}: {error}");
        }
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let both = "`none` and an address";
        assert!(
            config(listen(&["none", "a:1"]), "")
                .unwrap_err()
                .ends_with("cannot be `none` and an address"),
            "{both}"
        );
        assert!(
            config(listen(&["none"]), "listen-tls = ''")
                .unwrap_err()
                .contains("hear nobody")
        );
        assert!(
            config(ServeArgs::default(), "tls-cert = 'x'")
                .unwrap_err()
                .starts_with("--tls-cert needs")
        );
        assert!(
            config(ServeArgs::default(), "tls-key = 'x'")
                .unwrap_err()
                .starts_with("--tls-key needs")
        );
    }
}
