//! How the other side knows that a POST is ours, and not somebody's who kept one of yesterday.

use ring::hmac;

use crate::hex::hex;

/// `t=1763873551,v1=…`: when it was signed, in seconds since 1970, and the HMAC-SHA256 of that number, a full stop and the body, with
/// the secret's bytes as the key (RFC 2104). `v1` is the kind of signature: there may be others beside it one day.
pub(super) fn header(secret: &str, at_s: i64, body: &[u8]) -> String {
    let mut signed = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
    signed.update(format!("{at_s}.").as_bytes());
    signed.update(body);
    format!("t={at_s},v1={}", hex(signed.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_others_compute() {
        // printf '1763873551.{"version":1}' | openssl dgst -sha256 -hmac 'a secret of the city'
        let want = "t=1763873551,v1=a64f96c9e758ab8c2156f2cc21084a7c8ba7d1b6c1a154f420b7a8016f902759";
        assert_eq!(header("a secret of the city", 1_763_873_551, br#"{"version":1}"#), want);
    }
}
