//! The two commands of a window: here I am, and everything else in bytes of the contract. In a module of their own, because at
//! the root of a library Tauri's macro collides with itself (E0255).

use std::ops::ControlFlow;

use fleetlens_host::ipc::{Fault, FaultCode};
use serde::Deserialize;
use tauri::ipc::{Channel, InvokeBody, InvokeResponseBody, Request};
use tauri::{State, Webview};

use crate::life::Life;

/// A window is there: its parcels go into `frames` from now on. A page that was loaded anew says it again; what the page before
/// it looked at is forgotten. Fails, with the reason, when the host could not start.
#[tauri::command]
pub async fn attach(webview: Webview, life: State<'_, Life>, frames: Channel<InvokeResponseBody>) -> Result<(), Fault> {
    let host = life.host().await?;
    if let Some(earlier) = life.forget(webview.label()) {
        host.detach(earlier).await;
    }
    let window = host
        .attach(Box::new(move |parcel| match frames.send(InvokeResponseBody::Raw(parcel)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                tracing::debug!(%error, "a window is gone");
                ControlFlow::Break(())
            }
        }))
        .await?;
    if let Some(overtaken) = life.remember(webview.label(), window) {
        host.detach(overtaken).await;
    }
    Ok(())
}

/// A window says something: one call of the contract, as raw bytes.
#[tauri::command]
pub async fn call(webview: Webview, life: State<'_, Life>, request: Request<'_>) -> Result<(), Fault> {
    let host = life.host().await?;
    let Some(window) = life.window(webview.label()) else {
        return Err(Fault::new(FaultCode::Invalid, "this window is not attached; attach it first"));
    };
    host.call(window, &bytes(request.body())?).await
}

/// The body as bytes. Android's WebView cannot send any, there Tauri packs them as a list of numbers.
fn bytes(body: &InvokeBody) -> Result<Vec<u8>, Fault> {
    match body {
        InvokeBody::Raw(bytes) => Ok(bytes.clone()),
        InvokeBody::Json(numbers) => Vec::<u8>::deserialize(numbers)
            .map_err(|_| Fault::new(FaultCode::Invalid, "a call is raw bytes of the contract, not JSON")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_bytes_whatever_they_were_packed_in() {
        assert_eq!(bytes(&InvokeBody::Raw(vec![1, 255])), Ok(vec![1, 255]));
        assert_eq!(bytes(&InvokeBody::Json(json!([1, 255]))), Ok(vec![1, 255]));
        for wrong in [json!({}), json!([256]), json!("AQ=="), json!(null)] {
            assert_eq!(bytes(&InvokeBody::Json(wrong)).unwrap_err().code, FaultCode::Invalid);
        }
    }
}
