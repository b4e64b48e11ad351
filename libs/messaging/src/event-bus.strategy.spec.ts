import { Controller, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ExportDeleted,
  SliceReady,
  type ExportDeletedPayload,
  type SliceReadyPayload,
} from '@quire/contracts/data-export';
import { DeadLetters } from './dead-letters.js';
import type { Delivery, EventBus, Subscription } from './event-bus.js';
import { EventBusStrategy } from './event-bus.strategy.js';
import { Handles, HandlesGivenUp } from './handles.js';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

@Controller()
class Slices {
  @Handles(SliceReady)
  ready(_: SliceReadyPayload, __: Delivery): Promise<void> {
    return Promise.resolve();
  }
}

@Controller()
class SlicesToo {
  @Handles(SliceReady)
  ready(_: SliceReadyPayload, __: Delivery): Promise<void> {
    return Promise.resolve();
  }
}

@Controller()
class Deletions {
  @Handles(ExportDeleted)
  deleted(_: ExportDeletedPayload, __: Delivery): Promise<void> {
    return Promise.resolve();
  }
}

@Controller()
class EndsOnly {
  @HandlesGivenUp(SliceReady)
  givenUp(_: SliceReadyPayload, __: Delivery): Promise<void> {
    return Promise.resolve();
  }
}

/** A bus that only notes who listens. */
class Register implements EventBus {
  readonly subscriptions: Subscription[] = [];

  publish(): Promise<never> {
    return Promise.reject(new Error('Nothing is published here.'));
  }

  subscribe(subscription: Subscription): void {
    this.subscriptions.push(subscription);
  }

  begin(): void {
    throw new Error('Nobody begins here.');
  }

  restingPoint(): Promise<never> {
    return Promise.reject(new Error('Nothing rests here.'));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function subscriptionsOf(...controllers: Type[]): Promise<Subscription[]> {
  class Room {}
  Module({ controllers })(Room);
  const bus = new Register();
  const deadLetters = new DeadLetters(undefined as never); // none is stored here
  const strategy = new EventBusStrategy('data-export', bus, deadLetters, SILENT);
  const options = { strategy, logger: false as const, abortOnError: false };
  const app = await NestFactory.createMicroservice(Room, options);
  await app.listen();
  return bus.subscriptions;
}

describe('a service on the bus', () => {
  it('subscribes once, to the types of all its handlers', async () => {
    const subscriptions = await subscriptionsOf(Slices, Deletions, EndsOnly);
    expect(subscriptions).toMatchObject([
      { group: 'data-export', types: [SliceReady.type, ExportDeleted.type] },
    ]);
  });

  it('subscribes to nothing without handlers', async () => {
    expect(await subscriptionsOf()).toEqual([]);
  });

  it('does not start with two handlers for one event', async () => {
    await expect(subscriptionsOf(Slices, SlicesToo)).rejects.toThrow(
      /two handlers for .*SliceReady/,
    );
  });

  it('does not start with a handler for the end of what it does not handle', async () => {
    await expect(subscriptionsOf(Deletions, EndsOnly)).rejects.toThrow(/SliceReady/);
  });
});
