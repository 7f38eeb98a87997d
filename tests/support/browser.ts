import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** The first one draws no window that nobody sees: a start and a context cost it half of the processor time. */
const INSTALLED = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const CHROMIUM = process.env.CHROMIUM ?? INSTALLED.find((path) => existsSync(path)) ?? '/usr/bin/chromium';

/**
 * Parts of the browser that are off. The last `--disable-features` counts, so Playwright's own list of version 1.65 is repeated
 * first. Then come what Chromium draws its toolbar with: a renderer of its own for each context, two seconds of processor time
 * each, for a window that nobody sees.
 */
const FEATURES_OFF = [
  ...['AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'HttpsUpgrades', 'LensOverlay'],
  ...['HttpsFirstBalancedModeAutoEnable', 'MediaRouter', 'PaintHolding', 'ThirdPartyStoragePartitioning'],
  ...['AvoidCorsURLLoaderRestartOnRedirect', 'TcpPortRandomizationWin', 'OptimizationHints', 'AimEnabled'],
  ...['NetworkTimeServiceQuerying', 'PreconnectToSearch'],
  ...['InitialWebUI', 'WebUIReloadButton', 'WebUIToolbar', 'WebUILocationBar', 'WebUIOmniboxPopup'],
  ...['WebUIOmniboxFullPopup', 'WebUIOmniboxAimPopup', 'PreloadTopChromeWebUI', 'SpareRendererForSitePerProcess'],
];

/** Whether there is a real browser; says what is not tried where there is none. */
export function hasBrowser(what: string): boolean {
  const found = existsSync(CHROMIUM);
  if (!found) {
    process.stderr.write(
      `${what}: not tried in a browser. No ${CHROMIUM}: apt-get install chromium, or set CHROMIUM.\n`,
    );
  }
  return found;
}

/** Starts it, with nothing of its own going over the net. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
      `--disable-features=${FEATURES_OFF.join(',')}`,
    ],
  });
}
