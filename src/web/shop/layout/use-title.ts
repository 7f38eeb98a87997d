import { useEffect } from 'react';
import { useShopName } from './shop-name.ts';

/** Sets the title of the page, and what it is about, as the server does for its first answer. */
export function useTitle(title: string | null | undefined, description?: string): void {
  const shopName = useShopName();
  useEffect(() => {
    if (title != null) document.title = title === '' ? shopName : `${title} · ${shopName}`;
  }, [title, shopName]);
  useEffect(() => {
    let meta = document.querySelector<HTMLMetaElement>('meta[name="description"]');
    if (meta === null) {
      meta = document.createElement('meta');
      meta.name = 'description';
      document.head.append(meta);
    }
    meta.content = description ?? `${shopName}: what is on the shelf, and how much of it, as it changes.`;
  }, [description, shopName]);
}
