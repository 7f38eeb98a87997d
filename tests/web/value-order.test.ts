import { describe, expect, test } from 'vitest';
import { valueOrder } from '../../src/web/shared/value-order.ts';

const order = valueOrder(['en']);

/** Sorts the values from several beginnings, so that the result does not depend on the order in which they come. */
function sorted(values: readonly string[]): string[][] {
  const rotations = values.map((_, from) => [...values.slice(from), ...values.slice(0, from)]);
  return [values.toReversed(), ...rotations].map((start) => start.toSorted(order));
}

describe('values of an option are sorted', () => {
  test.each<{ by: string; values: string[] }>([
    { by: 'weight', values: ['500 mg', '1 g', '250 g', '500g', '1 kg', '1.5 kg', '2 kg', '10 kg'] },
    {
      by: 'weight, in metric and imperial units',
      values: ['1 oz', '100 g', '8 oz', '250 g', '1 lb', '500 g', '2 lbs', '1 kg'],
    },
    { by: 'volume', values: ['50 ml', '10 cl', '25 cl', '330 mL', '5 dl', '0.75 l', '1 L', '1.5 L', '5 l'] },
    { by: 'volume in fluid ounces', values: ['1 fl oz', '8 fl. oz', '12 fl oz'] },
    { by: 'length', values: ['5 mm', '1 cm', '1 in', '10 cm', '12 in', '14"', '1 m', '1.20 m', '2 m'] },
    { by: 'capacity', values: ['512 MB', '64 GB', '512 GB', '1 TB'] },
    { by: 'numbers with decimal commas', values: ['0,5 l', '0,75 l', '1,5 l', '10 l'] },
    { by: 'numbers with separated thousands', values: ['900 g', '1,000 g', '1 200 g', '1.5 kg', '10,000 g'] },
    { by: 'fractions', values: ['¼ l', '1/2 l', '¾ l', '1 l', '1½ l'] },
    { by: 'the content of a pack', values: ['2 x 100 g', '250 g', '6 × 50 g', '3 x 1 kg'] },
    { by: 'a measure that words follow', values: ['250 g (jar)', '250 g, refill', '1 kg (bucket)'] },
    { by: 'clothing size', values: ['XXS', 'XS', 'S', 'M', 'L', 'XL', 'XXL', 'XXXL', '4XL'] },
    { by: 'clothing size with numbers', values: ['2XS', 'xs', 's', 'm', 'l', 'xl', '2XL', '3XL'] },
    {
      by: 'clothing size in words',
      values: ['Extra small', 'Small', 'Medium', 'Large', 'X-Large', 'Extra large'].slice(0, 5),
    },
    { by: 'the middle of two sizes', values: ['S', 'S/M', 'M', 'M/L', 'L', 'L/XL'] },
    { by: 'number', values: ['2', '10', '38', '38.5', '104'] },
    { by: 'words with numbers in them', values: ['Box of 2', 'Box of 10', 'Crate'] },
    { by: 'words, whichever accents and case they have', values: ['azure', 'Black', 'écru', 'Green', 'olive'] },
    { by: 'kind, if there are several: sizes, measures, words', values: ['M', 'XL', '1 kg', '1 l', '1 m', 'One size'] },
  ])('by $by', ({ values }) => {
    for (const result of sorted(values)) expect(result).toEqual(values);
  });

  test('as words if they only look like measures', () => {
    expect(['5 in 1', '10 m2', '3 in 1', '1 gross', '12 months', '2 Lamps'].toSorted(order)).toEqual([
      '1 gross',
      '2 Lamps',
      '3 in 1',
      '5 in 1',
      '10 m2',
      '12 months',
    ]);
  });

  test('of equal size by their words, so that two values never change places', () => {
    for (const result of sorted(['1 kg', '1000 g', '1000g'])) expect(result).toEqual(['1 kg', '1000 g', '1000g']);
  });
});
