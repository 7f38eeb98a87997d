import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

// Layers of an image install packages before the sources are there, so that a change of the sources installs nothing anew.

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { postinstall: string } };

/** Runs the script as npm does, in a folder with these parts of the project alone. @returns what it prints */
function install(...parts: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-postinstall-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'package.json'), '{}');
  for (const part of parts) cpSync(part, join(folder, part), { recursive: true });
  return execFileSync('/bin/sh', ['-c', scripts.postinstall], { cwd: folder, encoding: 'utf8' });
}

test('an install without the sources says what to run once they are there', () => {
  expect(install('scripts')).toContain('run `node scripts/postinstall.mjs` once they are');
});

test('an install with package.json alone passes', () => {
  expect(install()).toBe('');
});
