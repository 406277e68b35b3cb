/**
 * General text and questions, written for nomoat and under its licence: what a model knew before it was trained, and may have forgotten since. Small
 * on purpose: it shows that something was lost, not what. Pure.
 */
import type { TestQuestion } from '../test-set.ts';

/** Paragraphs of many kinds; the second half of each is what is scored. */
export const generalTexts: readonly string[] = [
  'The river rises in the hills above the town and runs for sixty miles before it reaches the sea. In spring, when the snow melts, its water stands high and covers the meadows on both banks for several weeks.',
  'To make a simple bread, mix flour, water, salt and yeast in a large bowl. Let the dough rest until it has doubled in size, shape it into a loaf, and bake it in a hot oven until the crust is brown.',
  'A prime number is a whole number greater than one that can be divided only by one and by itself. The first prime numbers are two, three, five and seven; two is the only one of them that is even.',
  'Dear Ms. Meyer, thank you for your letter of last week. I am sorry to hear that the parcel was damaged on its way to you. We will send you another one today, and you do not have to pay anything for it.',
  'The old man closed the door behind him and walked slowly down to the harbour. Nobody was there at this hour but the cats and a boy who was mending a net, and neither of them looked up as he passed.',
  'Photosynthesis is the process by which green plants make sugar from carbon dioxide and water. It needs light, which the leaves take up with a green pigment called chlorophyll, and it gives off oxygen.',
  'function add(a, b) {\n  return a + b;\n}\n\nfunction sum(numbers) {\n  let total = 0;\n  for (const number of numbers) {\n    total = add(total, number);\n  }\n  return total;\n}\n',
  'The committee met on Tuesday to discuss the budget for the coming year. After a long debate the members agreed to spend more on schools and roads, and to leave the taxes as they were for another twelve months.',
  'The heart is a muscle that pumps blood through the body. It has four chambers: the two on the right send blood to the lungs, and the two on the left send it, rich in oxygen, to all other organs.',
  'Once upon a time there lived a miller who had three sons. When he died, the eldest was given the mill, the second the donkey, and the youngest nothing but a cat, which followed him wherever he went.',
  'In a market, the price of a good tends to rise when many people want to buy it and few want to sell it. When the price is high, more of it is made, and in the end the price falls again.',
  'Check that the cable is plugged in and that the light on the front of the device is green. If it is red, turn the device off, wait for ten seconds, and turn it on again before you call for help.',
];

const asked = (content: string, expected: string): TestQuestion => ({
  ask: { messages: [{ role: 'user', content }] },
  expected,
});

/** Questions whose answers have to hold the expected words. */
export const generalQuestions: readonly TestQuestion[] = [
  asked('What is the capital of France?', 'Paris'),
  asked('What is the capital of Italy?', 'Rome'),
  asked('What is the capital of Japan?', 'Tokyo'),
  asked('How many days are there in a week?', 'seven'),
  asked('Which planet do we live on?', 'Earth'),
  asked('What is the largest ocean on Earth?', 'Pacific'),
  asked('Who wrote the play Hamlet?', 'Shakespeare'),
  asked('What do bees make?', 'honey'),
  asked('Which language is spoken in Brazil?', 'Portuguese'),
  asked('What is the opposite of hot?', 'cold'),
  asked('On which continent is Egypt?', 'Africa'),
  asked('What gas do plants take from the air?', 'carbon dioxide'),
  asked('What is frozen water called?', 'ice'),
  asked('Which animal says "meow"?', 'cat'),
  asked('What is the first month of the year?', 'January'),
  asked('What is the currency of the United States?', 'dollar'),
  asked('Which star is at the centre of our solar system?', 'Sun'),
  asked('What is the plural of "mouse"?', 'mice'),
  asked('What colour is the sky on a clear day?', 'blue'),
  asked('Which metal is liquid at room temperature?', 'mercury'),
  asked('What do you call a person who flies an aeroplane?', 'pilot'),
  asked('Which season comes after winter?', 'spring'),
  asked('What is the name of the longest river in Africa?', 'Nile'),
  asked('In which country is the Great Wall?', 'China'),
];
