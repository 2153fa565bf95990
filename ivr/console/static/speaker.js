// Plays the frames that come from the line, in the audio thread; silence where none has come.
const AHEAD = 3, MOST = 400; // frames

class FramePlayer extends AudioWorkletProcessor {
  constructor() {
    super();
    this.frames = [];
    this.at = 0;
    this.playing = false;
    this.port.onmessage = ({ data }) => {
      if (data === null) this.frames = [], this.at = 0, this.playing = false;
      else if (this.frames.length < MOST) this.frames.push(data);
    };
  }

  process(_inputs, [[out]]) {
    this.playing = this.frames.length > (this.playing ? 0 : AHEAD);
    for (let n = 0; n < out.length && this.frames.length; n++) {
      if (!this.playing) break;
      out[n] = this.frames[0][this.at];
      if (++this.at === this.frames[0].length) {
        this.frames.shift();
        this.at = 0;
      }
    }
    return true;
  }
}

registerProcessor("speaker", FramePlayer);
