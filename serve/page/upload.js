// A file's way to the server and back, with its progress: fetch() does not tell of sending.

import { address, credentials, Failure, failureOf } from "./api.js";
import { askForKey, key } from "./key.js";

/**
 * The server's answer to a file: {blob, header(name)}. `progress` is told "uploading" with the share that is sent, "working",
 * and "receiving" with the bytes that came. Throws Failure, or AbortError when `signal` does.
 */
export async function upload(path, file, progress, signal) {
  const used = key();
  try {
    return await send(path, file, progress, signal);
  } catch (failure) {
    if (failure.status !== 401 || !(await askForKey(used))) throw failure;
    signal.throwIfAborted();
    return upload(path, file, progress, signal);
  }
}

function send(path, file, progress, signal) {
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.open("POST", address(path));
    for (const [name, value] of Object.entries(credentials())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "blob";
    request.upload.onprogress = ({ loaded, total }) => progress("uploading", total ? loaded / total : 1);
    request.upload.onload = () => progress("working");
    request.onprogress = ({ loaded }) => progress("receiving", loaded);
    request.onerror = () => reject(new Failure(0));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    request.onload = async () => {
      const header = (name) => request.getResponseHeader(name);
      if (request.status === 200) resolve({ blob: request.response, header });
      else reject(failureOf(request.status, await request.response.text(), header("Retry-After")));
    };
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
