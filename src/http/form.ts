const TYPE = 'application/x-www-form-urlencoded';

/** The texts of a form as the shop's own pages send it; what is no such form has none, and is not looked at. */
export async function readForm(request: Request): Promise<Partial<Record<string, string>>> {
  const type = request.headers.get('content-type') ?? '';
  if (!type.toLowerCase().startsWith(TYPE)) return {};
  return Object.fromEntries(new URLSearchParams(await request.text()));
}
