import { domainToASCII } from 'node:url';

/** What is wrong with an address. */
export type EmailAddressFault = 'EMAIL_INVALID' | 'EMAIL_NOT_ASCII' | 'TOO_LONG';

/** The most characters that an address may have. */
export const MAX_ADDRESS = 254;
const MAX_DOMAIN = 253;

// A dot-string of RFC 5321. Its other form, in quotes, is rejected: such addresses are not in use, and can hide anything.
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const LABEL = /^(?!-)[a-z\d-]{1,63}(?<!-)$/i;
/** What a host name may have of ASCII: anything else the URL rules would decode, cut off or drop. */
const OTHER_ASCII = /[\0-,/:-@[-`{-\x7F]/;
const NOT_ASCII = /[^\0-\x7F]/;

/**
 * Reads an e-mail address by RFC 5321, and gives it as mail goes to it: with an internationalised domain in ASCII
 * (`user@bücher.example` becomes `user@xn--bcher-kva.example`). Its capitals stay, since the part before the @ is the
 * receiver's business; addresses are compared without regard to them.
 *
 * The part before the @ must be ASCII. Mail to others needs SMTPUTF8 in every server on the way, and there is no rule by
 * which two spellings of one would be the same account. It may have more than the 64 characters of the RFC, which leaves
 * that to the receiver.
 */
export function readEmailAddress(text: string): { address: string } | { fault: EmailAddressFault } {
  const at = text.lastIndexOf('@');
  const [localPart, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1) return { fault: 'EMAIL_INVALID' };
  if (NOT_ASCII.test(localPart)) return { fault: 'EMAIL_NOT_ASCII' };
  if (!LOCAL_PART.test(localPart) || OTHER_ASCII.test(domain)) return { fault: 'EMAIL_INVALID' };
  const ascii = domainToASCII(domain);
  const labels = ascii.split('.');
  const isHost = labels.length > 1 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
  if (!isHost) return { fault: 'EMAIL_INVALID' };
  const address = `${localPart}@${NOT_ASCII.test(domain) ? ascii : domain}`;
  return ascii.length > MAX_DOMAIN || address.length > MAX_ADDRESS ? { fault: 'TOO_LONG' } : { address };
}

/** An address as others are compared with it: in lower case, its domain in ASCII. What is no address is only put in lower case. */
export function comparableEmailAddress(text: string): string {
  const read = readEmailAddress(text.trim());
  return ('address' in read ? read.address : text.trim()).toLowerCase();
}

/** Words that may be part of an address, for a search among addresses: a domain after an @ is put in ASCII. */
export function searchableEmailAddress(words: string): string {
  const at = words.lastIndexOf('@');
  const domain = words.slice(at + 1);
  return at !== -1 && NOT_ASCII.test(domain) ? words.slice(0, at + 1) + (domainToASCII(domain) || domain) : words;
}
