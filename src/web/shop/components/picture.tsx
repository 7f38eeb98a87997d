import { graphql } from '../../shared/graphql.ts';
import type { PictureFragment } from '../../generated/graphql.ts';
import './picture.css';

graphql(`
  fragment Picture on Image {
    url
    altText
  }
`);

/** A picture of a product in its frame; the frame alone where there is none. */
export function Picture({
  image,
  title,
  eager = false,
}: {
  image: PictureFragment | undefined;
  title: string;
  /** Seen at once: not left for later. */
  eager?: boolean;
}) {
  return (
    <span className="picture">
      {image === undefined ? (
        <span className="picture-none" aria-hidden="true">
          {title.slice(0, 1)}
        </span>
      ) : (
        <img
          src={image.url}
          alt={image.altText ?? title}
          width="600"
          height="600"
          loading={eager ? 'eager' : 'lazy'}
          fetchPriority={eager ? 'high' : 'auto'}
          decoding="async"
        />
      )}
    </span>
  );
}
