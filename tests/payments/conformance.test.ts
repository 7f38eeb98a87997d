import { testProvider } from './conformance.ts';
import { openStripeProvider } from './stripe-driver.ts';
import { openTestProvider } from './test-driver.ts';

testProvider('test', openTestProvider);
testProvider('stripe', openStripeProvider);
