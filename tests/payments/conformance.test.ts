import { testProvider } from './conformance.ts';
import { openTestProvider } from './test-driver.ts';

testProvider('test', openTestProvider);
