import type { StoredEvent } from '../../events/event.ts';
import { openStream, type StreamItem } from '../../events/stream.ts';
import type { Context } from '../../graphql/context/context.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { isStaff, listenerOf, ownerOf } from '../../graphql/context/viewer.ts';
import { AFTER, EventRef, oncePerEvent, resumeAfter } from '../../graphql/live/event.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { argumentId } from '../../graphql/schema/global-id.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { mayFollow, maySee } from './payment-rights.graphql.ts';
import { paymentChanged } from './payment.events.ts';
import { PaymentRef } from './payments.refs.graphql.ts';

type Changed = NonNullable<ReturnType<typeof paymentChanged.read>>;

const PaymentChangedRef = builder.objectRef<StreamItem<Changed>>('PaymentChanged').implement({
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
const ownersOf = oncePerEvent(async ({ services }: Context, { subjectId }) => {
  const [owners] = await services.payments.ownersOf([subjectId]);
  return owners ?? null;
});

async function isOwn(ctx: Context, event: StoredEvent): Promise<boolean> {
  return mayFollow(await ownersOf(ctx, event), ownerOf(ctx.viewer));
}

builder.subscriptionField('paymentChanged', (t) =>
  t.field({
    type: PaymentChangedRef,
    nullable: false,
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
        pick(event) {
          const change = paymentChanged.read(event);
          if (change === null || (paymentId !== null && change.paymentId !== paymentId)) return null;
          if (isStaff(ctx.viewer)) return change;
          return isOwn(ctx, event).then((own) => (own ? change : null));
        },
      });
    },
    resolve: (item) => item,
  }),
);
