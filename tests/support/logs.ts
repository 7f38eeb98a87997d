import { pino, type Logger } from 'pino';

/** One line of the shop's log. */
export interface LogRecord {
  level: number;
  msg: string;
  requestId?: string;
  [field: string]: unknown;
}

export const WARN = 40;
export const ERROR = 50;

const KEPT = 1000;

/** A logger that keeps its records, for tests to look at. */
export function recordLogs(): { logger: Logger; logs: LogRecord[] } {
  const logs: LogRecord[] = [];
  const write = (line: string) => {
    logs.push(JSON.parse(line) as LogRecord);
    if (logs.length > KEPT) logs.shift();
  };
  return { logger: pino({ level: 'info' }, { write }), logs };
}
