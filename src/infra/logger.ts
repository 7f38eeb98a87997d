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
 * @param destination file descriptor: the standard output, or the standard error for commands whose output is their result
 */
export function createLogger({ level, pretty }: LoggerOptions, destination: 1 | 2 = 1): Logger {
  const options = {
    level,
    redact: {
      paths: ['*.password', '*.token', '*.accessToken', '*.refreshToken', 'headers.cookie', 'headers.authorization'],
      censor: '[redacted]',
    },
  };
  if (!pretty) return pino(options, pino.destination(destination));
  const target = {
    target: 'pino-pretty',
    options: { translateTime: 'HH:MM:ss', ignore: 'pid,hostname', singleLine: true, destination },
  };
  return pino({ ...options, transport: target });
}
