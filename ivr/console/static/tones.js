// Keys as sound: ITU-T Q.23 tones at 8 kHz, G.711 mu-law, and a line with as much noise as is asked for.
export const RATE = 8000, FRAME = 160, FRAME_MS = 20;
const KEYPAD = ["123", "456", "789", "*0#"];
const LOW_GROUP_HZ = [697, 770, 852, 941], HIGH_GROUP_HZ = [1209, 1336, 1477];
const TONE_MS = 80, GAP_MS = 80, RAMP_MS = 2;
const LEVEL = 0.2; // of full scale, each tone: -10 dBm0, as a telephone sends it

export function frequencies(key) {
  const row = KEYPAD.findIndex((keys) => keys.includes(key));
  return [LOW_GROUP_HZ[row], HIGH_GROUP_HZ[KEYPAD[row].indexOf(key)]];
}

/** One key and the pause after it. */
export function keySound(key) {
  const [low, high] = frequencies(key);
  const sounding = (TONE_MS * RATE) / 1000, ramp = (RAMP_MS * RATE) / 1000;
  const samples = new Float32Array(sounding + (GAP_MS * RATE) / 1000);
  for (let n = 0; n < sounding; n++) {
    const edge = Math.min(1, (n + 1) / ramp, (sounding - n) / ramp);
    const turn = (2 * Math.PI * n) / RATE;
    samples[n] = LEVEL * edge * (Math.sin(low * turn) + Math.sin(high * turn));
  }
  return samples;
}

export function encode(sample) {
  let level = Math.round(Math.max(-1, Math.min(1, sample)) * 32635);
  const sign = level < 0 ? 0x80 : 0;
  level = Math.abs(level) + 132;
  const segment = Math.max(0, Math.floor(Math.log2(level)) - 7);
  return ~(sign | (segment << 4) | ((level >> (segment + 3)) & 0x0f)) & 0xff;
}

export function decode(code) {
  const bits = ~code & 0xff, segment = (bits >> 4) & 7;
  const level = ((((bits & 0x0f) << 3) + 132) << segment) - 132;
  return (bits & 0x80 ? -level : level) / 32768;
}

/** The caller's side of the line: a frame for every 20 ms that have passed, silent, noisy or with a key in it. */
export class Line {
  constructor(send) {
    this.send = send;
    this.noise = 0; // standard deviation, of full scale
    this.sounds = [];
    this.at = 0;
    this.sent = 0;
    this.began = performance.now();
    this.timer = setInterval(() => this.catchUp(), FRAME_MS);
  }

  /** dB between a key's two tones and white noise; null for none. */
  setNoise(snrDb) {
    this.noise = snrDb === null ? 0 : LEVEL / 10 ** (snrDb / 20);
  }

  press(key) {
    this.sounds.push(keySound(key));
  }

  hangUp() {
    clearInterval(this.timer);
    for (const sound of this.sounds) sound.fill(0);
    this.sounds = [];
  }

  catchUp() {
    const due = Math.floor((performance.now() - this.began) / FRAME_MS);
    this.sent = Math.max(this.sent, due - 100); // a page that was asleep does not send what it slept through
    for (; this.sent < due; this.sent++) this.send(this.frame());
  }

  frame() {
    const frame = new Uint8Array(FRAME);
    for (let n = 0; n < FRAME; n++) frame[n] = encode(this.sample() + (this.noise ? this.noise * gaussian() : 0));
    return frame;
  }

  sample() {
    if (!this.sounds.length) return 0;
    const sample = this.sounds[0][this.at];
    if (++this.at === this.sounds[0].length) {
      this.sounds.shift().fill(0);
      this.at = 0;
    }
    return sample;
  }
}

function gaussian() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
