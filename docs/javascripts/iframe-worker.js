/* Search in pages that are opened from a folder. Browsers start no worker there: a hidden frame runs its script. */

class IFrameWorker extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    this.scope = frame.contentWindow;
    this.scope.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    const script = frame.contentDocument.createElement("script");
    script.src = url;
    this.loaded = new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
    frame.contentDocument.body.append(script);
  }

  postMessage(data) {
    this.loaded.then(() => this.scope.dispatchEvent(new MessageEvent("message", { data })));
  }
}

if (location.protocol === "file:") {
  window.IFrameWorker = IFrameWorker; // the script looks for this name to find its other files
  window.Worker = IFrameWorker;
}
