import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { keptSecret } from '../../config/kept-secret.ts';
import type { Logger } from '../../infra/logger.ts';
import type { AdminService } from './admin.service.ts';

/** The ADMIN that a start made, or the demo's; `passwordFile` holds the password that the shop made for it. */
export interface FirstAdmin {
  email: string;
  passwordFile: string | null;
}

/** Where the demo keeps the password of its ADMIN, in the data folder. */
const ADMIN_PASSWORD_FILE = 'admin-password';
const ADMIN_PASSWORD_BYTES = 18;

/** Makes the ADMIN that the configuration names, where there is none. A password that is not named is made, and kept in a file. */
export async function firstAdmin(admin: AdminService, config: Config, logger: Logger): Promise<FirstAdmin | null> {
  const { adminEmail: email, adminPassword: password } = config.accounts;
  if (email === null) return null;
  const file = join(config.dataDir, ADMIN_PASSWORD_FILE);
  const made = await admin.ensureFirstAdmin(() => ({
    email,
    name: 'Admin',
    password: password ?? keptSecret(config.dataDir, ADMIN_PASSWORD_FILE, ADMIN_PASSWORD_BYTES),
  }));
  if (made) logger.info(password === null ? { passwordFile: file } : {}, 'first ADMIN made');
  if (password === null) return existsSync(file) ? { email, passwordFile: file } : null;
  return made ? { email, passwordFile: null } : null;
}
