export { written } from '../../graphql/schema/written.ts';
