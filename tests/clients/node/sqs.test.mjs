// SQS by the AWS SDK for JavaScript v3, whose middleware checks the digests of what it sent and received.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  ListQueueTagsCommand,
  QueueDoesNotExist,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  SQSServiceException,
  StartMessageMoveTaskCommand,
  paginateListQueues,
} from "@aws-sdk/client-sqs";

const sqs = new SQSClient();
after(() => sqs.destroy());

async function newQueue(QueueName, Attributes = {}) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  return QueueUrl;
}

async function arnOf(QueueUrl) {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  return Attributes.QueueArn;
}

async function receive(QueueUrl, options = {}) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...options }),
  );
  return Messages;
}

test("a message comes out with its attributes, and is gone once deleted", async () => {
  const QueueUrl = await newQueue("departures");
  const sent = await sqs.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: "Zürich – 東京 🛫 \t <&>\"'",
      MessageAttributes: {
        origin: { DataType: "String", StringValue: "ZRH" },
        altitude: { DataType: "Number.feet", StringValue: "38000.5" },
        transponder: { DataType: "Binary", BinaryValue: Uint8Array.of(0, 255, 128, 13, 10) },
      },
    }),
  );

  const [message] = await receive(QueueUrl, {
    MessageAttributeNames: ["All"],
    MessageSystemAttributeNames: ["ApproximateReceiveCount", "SentTimestamp", "SenderId"],
  });
  assert.equal(message.MessageId, sent.MessageId);
  assert.equal(message.Body, "Zürich – 東京 🛫 \t <&>\"'");
  assert.equal(message.MD5OfBody, sent.MD5OfMessageBody);
  assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
  assert.equal(message.MessageAttributes.origin.StringValue, "ZRH");
  assert.deepEqual(message.MessageAttributes.altitude, { DataType: "Number.feet", StringValue: "38000.5" });
  assert.deepEqual([...message.MessageAttributes.transponder.BinaryValue], [0, 255, 128, 13, 10]);
  assert.equal(message.Attributes.ApproximateReceiveCount, "1");
  assert.match(message.Attributes.SentTimestamp, /^\d{13}$/);

  assert.deepEqual(await receive(QueueUrl), []);
  await sqs.send(
    new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 0 }),
  );
  const [again] = await receive(QueueUrl, { MessageSystemAttributeNames: ["All"] });
  assert.equal(again.MessageId, sent.MessageId);
  assert.equal(again.Attributes.ApproximateReceiveCount, "2");
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again.ReceiptHandle }));

  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  assert.equal(Attributes.ApproximateNumberOfMessages, "0");
  assert.equal(Attributes.ApproximateNumberOfMessagesNotVisible, "0");
});

test("a batch says for each entry whether it worked", async () => {
  const QueueUrl = await newQueue("batches");
  const sent = await sqs.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: [
        { Id: "good", MessageBody: "one" },
        { Id: "bad", MessageBody: "two", DelaySeconds: 901 },
        { Id: "fine", MessageBody: "three" },
      ],
    }),
  );
  assert.deepEqual(sent.Successful.map((entry) => entry.Id), ["good", "fine"]);
  const [failed] = sent.Failed;
  assert.equal(failed.Id, "bad");
  assert.equal(failed.SenderFault, true);
  assert.equal(failed.Code, "InvalidParameterValue");

  const messages = await receive(QueueUrl);
  assert.deepEqual(messages.map((message) => message.Body).sort(), ["one", "three"]);
  const deleted = await sqs.send(
    new DeleteMessageBatchCommand({
      QueueUrl,
      Entries: [
        ...messages.map(({ ReceiptHandle }, number) => ({ Id: `${number}`, ReceiptHandle })),
        { Id: "forged", ReceiptHandle: "forged" },
      ],
    }),
  );
  assert.deepEqual(deleted.Successful.map((entry) => entry.Id), ["0", "1"]);
  assert.deepEqual(deleted.Failed.map((entry) => [entry.Id, entry.Code]), [["forged", "ReceiptHandleIsInvalid"]]);
});

test("an error is of the class that the SDK has for it", async () => {
  await assert.rejects(sqs.send(new GetQueueUrlCommand({ QueueName: "nowhere" })), (error) => {
    assert.ok(error instanceof QueueDoesNotExist);
    assert.ok(error instanceof SQSServiceException);
    assert.equal(error.name, "QueueDoesNotExist");
    assert.equal(error.$fault, "client");
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
    assert.equal(error.message, "The specified queue does not exist.");
    return true;
  });

  const QueueUrl = await newQueue("errors");
  await assert.rejects(
    sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: "forged" })),
    (error) => error instanceof ReceiptHandleIsInvalid,
  );
  await assert.rejects(
    sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 })),
    { name: "InvalidParameterValue" },
  );
});

test("a list of queues comes page by page", async () => {
  const names = Array.from({ length: 7 }, (_, number) => `paged-${number}`);
  for (const name of names) await newQueue(name);

  const pages = [];
  for await (const page of paginateListQueues({ client: sqs, pageSize: 3 }, { QueueNamePrefix: "paged-" })) {
    pages.push(page.QueueUrls.map((url) => url.split("/").at(-1)));
  }
  assert.deepEqual(pages.map((page) => page.length), [3, 3, 1]);
  assert.deepEqual(pages.flat().sort(), names);
});

test("a long poll is answered by the message that it waited for", async () => {
  const QueueUrl = await newQueue("awaited");
  const began = performance.now();
  const poll = receive(QueueUrl, { WaitTimeSeconds: 20 });
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "here I am" }));

  const [message] = await poll;
  assert.equal(message.Body, "here I am");
  assert.ok(performance.now() - began < 10_000);
});

test("a long poll that is given up takes no message", async () => {
  const QueueUrl = await newQueue("abandoned");
  const controller = new AbortController();
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
    abortSignal: controller.signal,
  });
  await arnOf(QueueUrl);
  controller.abort();
  await assert.rejects(poll, { name: "AbortError" });

  // The server hears of it a little later than we do: before what is asked after it.
  for (let number = 0; number < 5; number += 1) await arnOf(QueueUrl);
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "for the next one" }));
  const [message] = await receive(QueueUrl, { WaitTimeSeconds: 5 });
  assert.equal(message.Body, "for the next one");
});

test("a FIFO queue keeps the order of each group and knows what it has seen", async () => {
  const QueueUrl = await newQueue("orders.fifo", { FifoQueue: "true" });
  const send = (MessageBody, MessageGroupId, MessageDeduplicationId = `${MessageGroupId}-${MessageBody}`) =>
    sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId }));

  const first = await send("1", "north");
  await send("1", "south");
  const second = await send("2", "north");
  const repeated = await send("again", "north", "north-2");
  assert.equal(repeated.MessageId, second.MessageId);
  assert.equal(repeated.SequenceNumber, second.SequenceNumber);
  assert.ok(BigInt(second.SequenceNumber) > BigInt(first.SequenceNumber));

  const messages = await receive(QueueUrl, { MessageSystemAttributeNames: ["All"] });
  const bodiesOf = (group) =>
    messages.filter((message) => message.Attributes.MessageGroupId === group).map((message) => message.Body);
  assert.deepEqual(bodiesOf("north"), ["1", "2"]);
  assert.deepEqual(bodiesOf("south"), ["1"]);

  await send("3", "north");
  assert.deepEqual(await receive(QueueUrl), []);
});

test("what fails too often goes to the dead-letter queue, and can be sent back", async () => {
  const deadUrl = await newQueue("failed");
  const deadArn = await arnOf(deadUrl);
  const QueueUrl = await newQueue("tried", {
    VisibilityTimeout: "0",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadArn, maxReceiveCount: 2 }),
  });
  const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "poison" }));

  assert.equal((await receive(QueueUrl)).length, 1);
  assert.equal((await receive(QueueUrl)).length, 1);
  assert.deepEqual(await receive(QueueUrl), []);
  const [dead] = await receive(deadUrl, { VisibilityTimeout: 0, MessageSystemAttributeNames: ["All"] });
  assert.equal(dead.MessageId, MessageId);
  assert.equal(dead.Attributes.DeadLetterQueueSourceArn, await arnOf(QueueUrl));

  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: deadArn }));
  const [back] = await receive(QueueUrl, { WaitTimeSeconds: 10 });
  assert.equal(back.Body, "poison");
  const { Results } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: deadArn }));
  assert.equal(Results[0].ApproximateNumberOfMessagesToMove, 1);
});

test("tags are kept", async () => {
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: "tagged", tags: { team: "ground crew", "cost/centre": "7=8 & 9" } }),
  );
  const { Tags } = await sqs.send(new ListQueueTagsCommand({ QueueUrl }));
  assert.deepEqual(Tags, { team: "ground crew", "cost/centre": "7=8 & 9" });
});

test("whoever signs with another secret is refused", { skip: !process.env.QUEUESTREAM_SIGNED }, async () => {
  const stranger = new SQSClient({
    credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: "a guess" },
  });
  await assert.rejects(stranger.send(new GetQueueUrlCommand({ QueueName: "departures" })), {
    name: "SignatureDoesNotMatch",
  });
  stranger.destroy();
});
