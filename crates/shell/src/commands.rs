//! The commands of a window: here I am, what it says in bytes of the contract, one more window, and what it shows (which only whoever
//! keeps windows wants to know). In a module of their own, because at
//! the root of a library Tauri's macro collides with itself (E0255).

use std::ops::ControlFlow;

use fleetlens_host::ipc::address::Address;
use fleetlens_host::ipc::{Fault, FaultCode};
use serde::Deserialize;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
use tauri::Manager;
use tauri::ipc::{Channel, InvokeBody, InvokeResponseBody, Request};
use tauri::{AppHandle, State, Webview};

use crate::life::Life;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
use crate::windows::Windows;

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

/// One more window, which shows what this address leads to. Fails, with the reason, for what is no address and when there are enough. On the
/// desktop only: a phone has one window, and its page offers no other.
#[tauri::command]
pub async fn open_window(app: AppHandle, address: String) -> Result<(), Fault> {
    let address = known(&address)?;
    #[cfg(not(any(target_os = "android", target_os = "ios")))]
    return app
        .state::<Windows>()
        .open_one(&app, address)
        .map_err(|error| Fault::new(FaultCode::Invalid, error.to_string()));
    #[cfg(any(target_os = "android", target_os = "ios"))]
    {
        drop((app, address));
        Err(Fault::new(FaultCode::Invalid, "this device shows one window"))
    }
}

/// This window shows what this address leads to in this profile, and comes back with it at the next start.
#[tauri::command]
pub async fn shows(webview: Webview, address: String, profile: String) -> Result<(), Fault> {
    let address = known(&address)?;
    #[cfg(not(any(target_os = "android", target_os = "ios")))]
    webview.state::<Windows>().shows(webview.label(), address, profile);
    #[cfg(any(target_os = "android", target_os = "ios"))]
    drop((webview, address, profile));
    Ok(())
}

fn known(address: &str) -> Result<Address, Fault> {
    Address::read(address)
        .map_err(|error| Fault::new(FaultCode::Invalid, format!("this is no address of a window: {error}")))
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
