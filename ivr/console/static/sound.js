// What is heard in the room: prompts through the audio thread, and the keys one presses. Without sound, captions suffice.
import { RATE, decode, keySound } from "/static/tones.js";

export class Sound {
  async open() {
    this.context = new AudioContext({ sampleRate: RATE });
    await this.context.audioWorklet.addModule("/static/speaker.js");
    this.speaker = new AudioWorkletNode(this.context, "speaker", { numberOfInputs: 0, outputChannelCount: [1] });
    this.speaker.connect(this.context.destination);
  }

  play(codes) {
    this.speaker?.port.postMessage(Float32Array.from(codes, decode));
  }

  stop() {
    this.speaker?.port.postMessage(null);
  }

  key(key) {
    if (!this.speaker) return;
    const samples = keySound(key), source = this.context.createBufferSource();
    source.buffer = this.context.createBuffer(1, samples.length, RATE);
    source.buffer.copyToChannel(samples, 0);
    source.connect(this.context.destination);
    source.start();
  }

  close() {
    this.context?.close().catch(() => {});
    this.context = this.speaker = undefined;
  }
}
