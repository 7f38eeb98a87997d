import { pino, type Logger } from 'pino';

export type { Logger };

/** Where the shop's logs go: JSON lines for machines, coloured lines for a person at a terminal. */
export interface LoggerOptions {
  level: string;
  pretty: boolean;
}

/**
 * Makes the process's root logger. Everything that could carry a credential is redacted here, once, so that no caller
 * has to remember it.
 */
export function createLogger({ level, pretty }: LoggerOptions): Logger {
  return pino({
    level,
    redact: {
      paths: ['*.password', '*.token', '*.accessToken', '*.refreshToken', 'headers.cookie', 'headers.authorization'],
      censor: '[redacted]',
    },
    ...(pretty
      ? {
          transport: {
            target: 'pino-pretty',
            options: { translateTime: 'HH:MM:ss', ignore: 'pid,hostname', singleLine: true },
          },
        }
      : {}),
  });
}
