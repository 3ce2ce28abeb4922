//! What a session has freed, given back to the system.
//!
//! ONNX Runtime allocates with the C library, which keeps what is freed for later: after fifty swaps of a model some 450 MB
//! that nobody used. So the heap is trimmed when a session ends, which is seldom, and takes milliseconds on a thread that
//! answers nobody. Elsewhere than on glibc nothing is done.

/// Trims the heap when it is dropped; the last field of what owns a session.
pub(super) struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        trim();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the standard library can't trim the heap")]
fn trim() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> core::ffi::c_int;
    }
    // SAFETY: it takes no pointer, glibc documents it as safe on any thread, and it touches free memory alone.
    unsafe {
        malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
