//! `fleetlens password`: the system's keychain, for profiles that say `password = { keychain = "NAME" }`.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use fleetlens_link::keychain;

/// As much as is read where a password should be: more than MQTT can say.
const READ_MAX_BYTES: u64 = 1 << 17;

#[derive(Args)]
pub struct Password {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Store a password, which is asked for, or is the first line of what is piped in; never an argument, which everybody on
    /// this machine could see.
    Set {
        /// The name that profiles have: letters, digits, and any of . _ - @
        name: String,
    },
    /// Take a password out again.
    Clear {
        /// Its name.
        name: String,
    },
}

impl Password {
    pub async fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::Set { name } => {
                if !keychain::is_name(&name) {
                    return Err(keychain::KeychainError::Name.into());
                }
                let password = tokio::task::spawn_blocking(asked).await??;
                keychain::store(&name, &password).await?;
                println!("stored; a profile takes it with password = {{ keychain = \"{name}\" }}");
            }
            What::Clear { name } => {
                keychain::clear(&name).await?;
                println!("cleared");
            }
        }
        Ok(())
    }
}

/// Typed twice without being shown, or piped in.
fn asked() -> anyhow::Result<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return first_line(stdin.lock());
    }
    let password = rpassword::prompt_password("Password: ").context("cannot ask for the password")?;
    if rpassword::prompt_password("Again: ").context("cannot ask for the password")? != password {
        bail!("that was not the same twice; nothing is stored");
    }
    Ok(password)
}

fn first_line(piped: impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    piped.take(READ_MAX_BYTES).read_line(&mut line).context("what is piped in is no password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piped_password_is_the_first_line_as_it_stands() {
        for (piped, want) in [("hunter2\n", "hunter2"), (" a b \r\nc", " a b "), ("x", "x"), ("", "")] {
            assert_eq!(first_line(piped.as_bytes()).unwrap(), want);
        }
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
