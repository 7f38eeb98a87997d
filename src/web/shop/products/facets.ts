import { useRef } from 'react';
import type { ProductFilter, ShopFacetsQuery } from '../../generated/graphql.ts';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';

const FACETS = graphql(`
  query ShopFacets($filter: ProductFilter) {
    categories(first: 50) {
      nodes {
        id
        slug
        name
      }
    }
    productFacets(filter: $filter) {
      categories {
        count
        countPrecision
        category {
          id
          slug
        }
      }
      tags {
        count
        countPrecision
        tag
      }
      options {
        name
        values {
          count
          countPrecision
          value
        }
      }
      priceRanges {
        count
        countPrecision
        min {
          amount
          currencyCode
        }
        max {
          amount
          currencyCode
        }
      }
      inStock {
        count
        countPrecision
      }
      lowStock {
        count
        countPrecision
      }
    }
  }
`);

export interface Count {
  count: number;
  countPrecision: 'AT_LEAST' | 'EXACT';
}

/** What can narrow a list further, with numbers of products. Those of the filter before stay until the new ones are there. */
export function useFacets(filter: ProductFilter): ShopFacetsQuery | undefined {
  const [{ data }] = usePage(FACETS, { filter });
  const last = useRef(data);
  if (data !== undefined) last.current = data;
  return last.current;
}

/** A number of products as one reads it: `12` or `1,000+`. */
export const countOf = ({ count, countPrecision }: Count): string =>
  countPrecision === 'AT_LEAST' ? `${formatCount(count)}+` : formatCount(count);
