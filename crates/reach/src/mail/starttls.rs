//! The few lines in clear before a connection to a mail server is encrypted (RFC 3207).
//!
//! They are read byte by byte, up to the end of the answer to STARTTLS and not further. What somebody on the way puts behind that
//! answer is then part of the handshake, which fails, and is never taken for something that the server said encrypted.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest line, in bytes (RFC 5321, 4.5.3.1.5, and some more).
const LINE_MAX_BYTES: usize = 2_048;

/// Lines of one answer.
const LINES_MAX: usize = 100;

/// Asks for encryption; then the handshake follows. `Err` says in words what went wrong, behind the server's name.
pub(super) async fn asked<S>(stream: &mut S, hello: &str) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    answer(stream, "220", "does not greet as a mail server does").await?;
    say(stream, &format!("EHLO {hello}\r\n")).await?;
    let offered = answer(stream, "250", "does not know EHLO").await?;
    if !offered.iter().any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
        return Err(
            "offers no encryption (STARTTLS); write smtps:// where it has an encrypted port, often 465".to_owned()
        );
    }
    say(stream, "STARTTLS\r\n").await?;
    answer(stream, "220", "offers encryption (STARTTLS) and then refuses it").await.map(drop)
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, line: &str) -> Result<(), String> {
    stream.write_all(line.as_bytes()).await.map_err(|error| format!("ended the conversation: {error}"))
}

/// The lines of one answer without their codes.
async fn answer<S: AsyncRead + Unpin>(stream: &mut S, code: &str, otherwise: &str) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    while lines.len() < LINES_MAX {
        let line = line(stream).await?;
        let (said, more) = line.split_at_checked(3).ok_or_else(|| otherwise.to_owned())?;
        if said != code {
            return Err(format!("{otherwise} ({})", fleetlens_model::text::shown(line.trim())));
        }
        let is_last = !more.starts_with('-');
        lines.push(more.get(1..).unwrap_or_default().to_owned());
        if is_last {
            return Ok(lines);
        }
    }
    Err(otherwise.to_owned())
}

async fn line<S: AsyncRead + Unpin>(stream: &mut S) -> Result<String, String> {
    let mut line = Vec::new();
    while line.len() < LINE_MAX_BYTES {
        match stream.read_u8().await {
            Ok(b'\n') => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            Ok(byte) => line.push(byte),
            Err(error) => return Err(format!("ended the conversation: {error}")),
        }
    }
    Err("says a line that does not end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_server_that_agrees_is_spoken_to_encrypted_and_nothing_behind_its_word_is_read() {
        for (name, says, want) in [
            ("agreed", "220 hi\r\n250-mail\r\n250-PIPELINING\r\n250 STARTTLS\r\n220 go\r\nrest", Ok(())),
            ("not offered", "220 hi\r\n250-mail\r\n250 SIZE 1\r\nrest", Err("offers no encryption")),
            ("refused", "220 hi\r\n250 starttls\r\n454 not now\r\nrest", Err("not now")),
            ("busy", "554 no\r\nrest", Err("does not greet")),
            ("not a mail server", "HTTP/1.1 400 Bad Request\r\n", Err("does not greet")),
            ("too short", "2\r\n", Err("does not greet")),
            ("cut", "220 hi\r\n250-mail\r\n", Err("ended the conversation")),
        ] {
            let (mut ours, mut theirs) = tokio::io::duplex(1 << 16);
            theirs.write_all(says.as_bytes()).await.unwrap();
            theirs.shutdown().await.unwrap();
            match (asked(&mut ours, "h").await, want) {
                (Ok(()), Ok(())) => {
                    let mut rest = String::new();
                    ours.read_to_string(&mut rest).await.unwrap();
                    assert_eq!(rest, "rest");
                }
                (Err(why), Err(want)) => assert!(why.contains(want), "{name}: {why}"),
                (got, want) => panic!("{name}: {got:?}, not {want:?}"),
            }
        }
    }
}
