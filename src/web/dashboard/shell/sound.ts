import { createStore } from '../../shared/store.ts';

/*
 * The sound of a new order: two notes of a small bell. Made here, so that there is no file to load.
 */

const KEY = 'vitrine.dashboard-muted';

function readMuted(): boolean {
  try {
    return localStorage.getItem(KEY) === 'yes';
  } catch {
    return false;
  }
}

export const muted = createStore(readMuted());

export function setMuted(value: boolean): void {
  muted.set(value);
  try {
    localStorage.setItem(KEY, value ? 'yes' : 'no');
  } catch {
    // Storage is off: the choice holds until the page is closed.
  }
  if (!value) ring();
}

let context: AudioContext | null = null;
const NOTES = [880, 1318.5];
const EVERY_MS = 400;
let rungAt = -Infinity;

/** Rings, unless muted. Browsers forbid sound before a person has used the page. Many orders at once ring once. */
export function ring(): void {
  const now = performance.now();
  if (muted.get() || !navigator.userActivation.hasBeenActive || now - rungAt < EVERY_MS) return;
  rungAt = now;
  context ??= new AudioContext();
  const audio = context;
  void audio.resume();
  NOTES.forEach((frequency, index) => strike(audio, frequency, index * 0.12));
}

/** Tones that have not ended yet. */
let sounding = 0;

/** A running context computes silence all the time, on a thread of its own: a page may be open for days. */
function rest(audio: AudioContext): void {
  sounding -= 1;
  if (sounding === 0) void audio.suspend();
}

function strike(audio: AudioContext, frequency: number, delay: number): void {
  const start = audio.currentTime + delay;
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = frequency;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(0.12, start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, start + 0.9);
  tone.connect(volume).connect(audio.destination);
  sounding += 1;
  tone.addEventListener('ended', () => rest(audio));
  tone.start(start);
  tone.stop(start + 1);
}
