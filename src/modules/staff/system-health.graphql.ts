import { builder } from '../../graphql/schema/builder.ts';
import { SnapshotRef } from '../../graphql/schema/snapshot.ts';
import { QueueAway, type QueueState } from './failed-jobs.service.ts';
import {
  findConsumerHealth,
  findShopHealth,
  MAX_COUNTED,
  type ConsumerHealth,
  type ShopHealth,
} from './system-health.repository.ts';

const MOST = MAX_COUNTED.toLocaleString('en');
const COUNT = `; ${(MAX_COUNTED + 1).toLocaleString('en')} means more than ${MOST}.`;
/** GraphQL's largest integer. */
const MAX_INT = 2 ** 31 - 1;

const RelayHealthRef = builder.objectRef<ShopHealth>('RelayHealth').implement({
  description: 'State of the relay, which numbers committed events and passes them on. Staff only.',
  fields: (t) => ({
    waitingCount: t.exposeInt('unnumbered', {
      nullable: false,
      description: `Number of committed events that the relay has not passed on${COUNT}`,
    }),
    oldestWaitingAt: t.expose('oldestUnnumberedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the oldest of these events. Null if there is none.',
    }),
  }),
});

const ConsumerHealthRef = builder.objectRef<ConsumerHealth>('ConsumerHealth').implement({
  description: 'State of a consumer of the event log, such as the one that writes mails. Staff only.',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: false, description: 'Name of the consumer.' }),
    waitingCount: t.int({
      nullable: false,
      description: 'Number of events that the consumer has not processed.',
      resolve: ({ waiting }) => Math.min(Number(waiting), MAX_INT),
    }),
    oldestWaitingAt: t.expose('oldestWaitingAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the first of these events. Null if there is none.',
    }),
    parkedCount: t.exposeInt('parked', {
      nullable: false,
      description: `Number of parked events: events that the consumer could not process${COUNT}`,
    }),
    leasedUntil: t.expose('leasedUntil', {
      type: 'DateTime',
      nullable: true,
      description:
        'Time until which a process has reserved the consumer; renewed while the process handles events. Null if no process ' +
        'does, for example because no events are waiting.',
    }),
  }),
});

const QueueHealthRef = builder.objectRef<QueueState>('QueueHealth').implement({
  description: 'State of a queue of background jobs. Staff only.',
  fields: (t) => ({
    name: t.exposeString('queue', { nullable: false, description: 'Name of the queue, as in `failedJobs`.' }),
    waitingCount: t.exposeInt('waiting', { nullable: false, description: 'Number of jobs that are due.' }),
    delayedCount: t.exposeInt('delayed', { nullable: false, description: 'Number of jobs that are due later.' }),
    activeCount: t.exposeInt('active', { nullable: false, description: 'Number of jobs that are running.' }),
    failedCount: t.exposeInt('failed', {
      nullable: false,
      description: 'Number of jobs that failed in all their attempts; see `failedJobs`.',
    }),
    oldestWaitingSince: t.expose('oldestWaitingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the oldest of the jobs that are due was enqueued. Null if no job is due.',
    }),
  }),
});

const MailHealthRef = builder.objectRef<ShopHealth>('MailHealth').implement({
  description: 'State of outgoing mails. Staff only.',
  fields: (t) => ({
    dueCount: t.exposeInt('dueMails', {
      nullable: false,
      description: `Number of mails that are due and have not been sent${COUNT}`,
    }),
    oldestDueAt: t.expose('oldestDueMailAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the oldest of these mails was due. Null if there is none.',
    }),
    failedCount: t.exposeInt('failedMails', {
      nullable: false,
      description: `Number of mails that failed in all their attempts${COUNT} See \`mails\`.`,
    }),
  }),
});

const SystemHealthRef = builder.objectRef<ShopHealth>('SystemHealth').implement({
  description: 'State of the work in the background, across all processes of the shop. Staff only.',
  interfaces: [SnapshotRef],
  fields: (t) => ({
    checkedAt: t.expose('checkedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the state was read.',
    }),
    relay: t.field({
      type: RelayHealthRef,
      nullable: false,
      description: 'State of the relay.',
      resolve: (health) => health,
    }),
    consumers: t.field({
      type: [ConsumerHealthRef],
      nullable: false,
      description: 'State of the consumers, ordered by name.',
      complexity: { field: 10, multiplier: 1 },
      resolve: (_health, _args, { db }) => findConsumerHealth(db),
    }),
    queues: t.field({
      type: [QueueHealthRef],
      nullable: true,
      description:
        'State of the job queues. Null if the job queues cannot be reached; timers then do the most urgent work.',
      complexity: { field: 20, multiplier: 1 },
      resolve: (_health, _args, { services: { failedJobs } }) =>
        failedJobs.states().catch((error: unknown) => {
          if (error instanceof QueueAway) return null;
          throw error;
        }),
    }),
    mail: t.field({
      type: MailHealthRef,
      nullable: false,
      description: 'State of outgoing mails.',
      resolve: (health) => health,
    }),
  }),
});

builder.queryField('systemHealth', (t) =>
  t.field({
    type: SystemHealthRef,
    nullable: true,
    description:
      'State of the relay, consumers, job queues and mails now. What stands still sends no events, so a page that ' +
      'shows the state reads it again from time to time. Staff only.',
    authScopes: { staff: true },
    complexity: 20,
    resolve: (_root, _args, { db }) => findShopHealth(db),
  }),
);
