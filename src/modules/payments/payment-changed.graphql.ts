import type { StoredEvent } from '../../events/event.ts';
import { openStream, type StreamItem } from '../../events/stream.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { listenerOf, ownerOf } from '../accounts/accounts.viewer.graphql.ts';
import { AFTER, EventRef, oncePerEvent, resumeAfter } from '../../graphql/live/event.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { argumentId } from '../../graphql/schema/global-id.ts';
import { OWNED } from '../../graphql/schema/shared.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import type { ShopServices } from '../module.ts';
import { mayFollow, maySee } from './payment-rights.graphql.ts';
import { paymentChanged } from './payment.events.ts';
import { PaymentRef } from './payments.refs.graphql.ts';

type Changed = NonNullable<ReturnType<typeof paymentChanged.read>>;

const PaymentChangedRef = builder.objectRef<StreamItem<Changed>>('PaymentChanged').implement({
  extensions: OWNED,
  description: 'Event: the state, the amounts, the refunds or the disputes of a payment changed.',
  interfaces: [EventRef],
  fields: (t) => ({
    payment: t.field({
      type: PaymentRef,
      nullable: false,
      description: 'Payment in its state when the event is delivered.',
      resolve: ({ value }, _args, ctx) => loadKnown(ctx.loaders.payment, value.paymentId),
    }),
  }),
});

// The order of a payment may join an account at any time: whose it is is asked with each event.
const ownersOf = oncePerEvent(async ({ payments }, { subjectId }) => {
  const [owners] = await payments.ownersOf([subjectId]);
  return owners ?? null;
});

/**
 * Picks the changes of payments that a viewer may follow. It is kept for as long as the subscription, and so refers to little.
 * @param paymentId the only payment to follow; null: all that the viewer may follow
 */
function pickFor(
  services: ShopServices,
  paymentId: string | null,
  { viewer, byStaff }: { viewer: ReturnType<typeof ownerOf>; byStaff: boolean },
): (event: StoredEvent) => Changed | null | Promise<Changed | null> {
  return (event) => {
    const change = paymentChanged.read(event);
    if (change === null || (paymentId !== null && change.paymentId !== paymentId)) return null;
    if (byStaff) return change;
    return ownersOf(services, event).then((owners) => (mayFollow(owners, viewer) ? change : null));
  };
}

builder.subscriptionField('paymentChanged', (t) =>
  t.field({
    type: PaymentChangedRef,
    nullable: false,
    extensions: OWNED,
    description:
      'Delivers changes of payments: to customers and guests those for their own carts and orders, to staff all of them. Pass ' +
      '`paymentId` to follow a single payment.',
    args: {
      paymentId: t.arg.id({
        description:
          'Global ID of the only payment to follow, which must belong to the viewer unless the viewer is staff.',
      }),
      after: t.arg(AFTER),
    },
    subscribe: async (_root, args, ctx) => {
      const paymentId = args.paymentId == null ? null : argumentId('Payment', args.paymentId, 'paymentId');
      if (paymentId === null) listenerOf(ctx);
      else if (!(await maySee(ctx, paymentId))) {
        throw requestError('FORBIDDEN', 'Payment not found, or not accessible to you.');
      }
      const viewer = ownerOf(ctx.viewer);
      const subjects = async () => {
        if (paymentId !== null) return [paymentId];
        return isStaff(ctx.viewer) || viewer === null ? null : ctx.services.payments.idsOf(viewer);
      };
      return openStream<Changed>({
        feed: ctx.feed,
        resume: await resumeAfter(ctx, args.after, async () => ({
          types: [paymentChanged.type],
          subjects: await subjects(),
        })),
        pick: pickFor(ctx.services, paymentId, { viewer, byStaff: isStaff(ctx.viewer) }),
      });
    },
    resolve: (item) => item,
  }),
);
