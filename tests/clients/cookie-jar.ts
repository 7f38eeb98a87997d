import { WebSocket } from 'ws';

/** Keeps cookies as a browser does, for clients in Node: what `Set-Cookie` says is sent again. */
export interface CookieJar {
  /** The header with all cookies; empty where there are none. */
  header(): Record<string, string>;
  fetch: typeof fetch;
  /** For graphql-ws: opens sockets with the cookies that are there by then. */
  WebSocket: new (address: string | URL, protocols?: string | string[]) => WebSocket;
  get(name: string): string | undefined;
}

/** Makes an empty jar, for one origin. */
export function createCookieJar(): CookieJar {
  const cookies = new Map<string, string>();
  const header = (): Record<string, string> =>
    cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };

  function keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/;\s*max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value);
    }
  }

  return {
    get: (name) => cookies.get(name),
    header,

    async fetch(input, init) {
      const headers = new Headers(init?.headers);
      for (const [name, value] of Object.entries(header())) headers.set(name, value);
      const response = await fetch(input, { ...init, headers });
      keep(response.headers.getSetCookie());
      return response;
    },

    WebSocket: class extends WebSocket {
      constructor(address: string | URL, protocols?: string | string[]) {
        super(address, protocols, { headers: header() });
        // The answer that makes the socket may set cookies, too.
        this.once('upgrade', (answer) => keep(answer.headers['set-cookie'] ?? []));
      }
    },
  };
}
