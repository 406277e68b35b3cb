/**
 * Makes the training data of nomoat-mini: node models/nomoat-mini/make-data.mjs OUT
 * Sources (see LICENSES.md): sources/tinystories.txt.gz, sources/snips.txt.gz, and the sentences of this file (Apache-2.0 like the repo).
 * Writes pretrain.txt, pretrain-valid.txt, chat-train.jsonl, chat-valid.jsonl. The same seed gives the same bytes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const out = process.argv[2];
if (!out) throw new Error('usage: node models/nomoat-mini/make-data.mjs OUT');
const here = dirname(fileURLToPath(import.meta.url));
const lines = (name) => gunzipSync(readFileSync(join(here, 'sources', name))).toString('utf8');

/** mulberry32, public domain. */
let state = 20261124;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (list) => list[Math.floor(random() * list.length)];
const chance = (p) => random() < p;
function shuffle(list) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const article = (noun) => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);

const animals = {
  cow: ['moo', 'on a farm', 'grass', 4, 'big'], dog: ['woof', 'in a house', 'meat', 4, 'friendly'], cat: ['meow', 'in a house', 'fish', 4, 'soft'],
  duck: ['quack', 'on a pond', 'bread and plants', 2, 'small'], sheep: ['baa', 'on a farm', 'grass', 4, 'soft'], pig: ['oink', 'on a farm', 'corn', 4, 'round'],
  horse: ['neigh', 'on a farm', 'hay', 4, 'fast'], bird: ['tweet', 'in a nest', 'seeds', 2, 'small'], lion: ['roar', 'in the grassland', 'meat', 4, 'strong'],
  frog: ['ribbit', 'by a pond', 'flies', 4, 'green'], mouse: ['squeak', 'in a hole', 'cheese', 4, 'tiny'], bee: ['buzz', 'in a hive', 'nectar', 6, 'tiny'],
  owl: ['hoot', 'in a tree', 'mice', 2, 'quiet'], bear: ['growl', 'in the forest', 'berries and fish', 4, 'big'], wolf: ['howl', 'in the forest', 'meat', 4, 'wild'],
  hen: ['cluck', 'on a farm', 'seeds', 2, 'busy'],
};
const quiet = { rabbit: ['in a burrow', 'carrots', 4, 'quick'], fish: ['in the water', 'tiny plants', 0, 'shiny'], fox: ['in the forest', 'mice', 4, 'clever'],
  elephant: ['in the grassland', 'leaves', 4, 'very big'], turtle: ['by a pond', 'leaves', 4, 'slow'], spider: ['in a web', 'flies', 8, 'small'],
  butterfly: ['in the garden', 'nectar', 6, 'pretty'], squirrel: ['in a tree', 'nuts', 4, 'quick'], monkey: ['in a tree', 'bananas', 2, 'funny'] };
const living = { ...Object.fromEntries(Object.entries(animals).map(([name, [, home, food, legs, trait]]) => [name, [home, food, legs, trait]])), ...quiet };
const colours = { sky: 'blue', grass: 'green', sun: 'yellow', snow: 'white', night: 'black', blood: 'red', milk: 'white', chocolate: 'brown', banana: 'yellow', apple: 'red',
  lemon: 'yellow', tomato: 'red', carrot: 'orange', orange: 'orange', frog: 'green', leaf: 'green', strawberry: 'red', pea: 'green', cloud: 'white', coal: 'black', sea: 'blue',
  plum: 'purple', grape: 'purple', pig: 'pink', cherry: 'red', tree: 'green', corn: 'yellow', mud: 'brown', fire: 'orange' };
const massNouns = new Set(['sky', 'grass', 'sun', 'snow', 'night', 'blood', 'milk', 'chocolate', 'coal', 'sea', 'corn', 'mud', 'fire']);
const opposites = [['hot', 'cold'], ['big', 'small'], ['up', 'down'], ['fast', 'slow'], ['happy', 'sad'], ['day', 'night'], ['open', 'closed'], ['full', 'empty'], ['old', 'young'],
  ['wet', 'dry'], ['loud', 'quiet'], ['light', 'dark'], ['long', 'short'], ['good', 'bad'], ['hard', 'soft'], ['clean', 'dirty'], ['left', 'right'], ['high', 'low'], ['early', 'late'], ['near', 'far']];
const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const numbers = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen', 'twenty'];
const seasons = { winter: 'cold, and sometimes it snows', spring: 'mild, and the flowers begin to grow', summer: 'warm and sunny', autumn: 'cool, and the leaves fall from the trees' };
const weather = { rain: ['an umbrella', 'wet'], snow: ['a warm coat', 'cold'], sun: ['a hat', 'warm'], wind: ['a jacket', 'cool'] };
const raining = { rain: 'raining', snow: 'snowing', sun: 'sunny', wind: 'windy' };
const names = ['Lily', 'Tom', 'Mia', 'Ben', 'Anna', 'Max', 'Sara', 'Tim', 'Lucy', 'Sam', 'Ella', 'Jack', 'Zoe', 'Leo', 'Amy', 'Finn', 'Ruby', 'Noah'];
const things = ['ball', 'book', 'kite', 'doll', 'hat', 'cup', 'toy car', 'drum', 'spoon', 'key', 'flower', 'teddy bear', 'coin', 'cake'];
const places = ['in the box', 'under the bed', 'on the table', 'in the garden', 'behind the door', 'in the kitchen', 'near the tree', 'on the chair', 'in the bag', 'by the pond'];
const hues = ['red', 'blue', 'green', 'yellow', 'white', 'black', 'pink', 'brown', 'purple'];
const foods = ['apples', 'cake', 'soup', 'bread', 'cheese', 'pears', 'rice', 'honey', 'berries', 'pancakes'];
const uses = { knife: 'cut bread', spoon: 'eat soup', pencil: 'write and draw', broom: 'sweep the floor', key: 'open a door', cup: 'drink', bed: 'sleep', umbrella: 'stay dry in the rain', lamp: 'make light',
  clock: 'tell the time', soap: 'wash your hands', boat: 'cross the water', book: 'read a story', phone: 'talk to people', ladder: 'climb up high', scissors: 'cut paper' };
const senses = { eyes: 'see', ears: 'hear', nose: 'smell', mouth: 'eat and talk', hands: 'hold things', legs: 'walk and run', teeth: 'chew food', wings: 'fly' };
const jobs = { teacher: 'helps children learn', doctor: 'helps sick people', baker: 'makes bread', farmer: 'grows food', firefighter: 'puts out fires', cook: 'makes meals', pilot: 'flies a plane', sailor: 'sails a ship', painter: 'paints pictures', gardener: 'takes care of plants' };
const unknown = ['the capital of France', 'the stock market', 'quantum physics', 'computers', 'the president', 'football results', 'how to write code', 'the news', 'tax law', 'medicine', 'history', 'the war', 'Bitcoin', 'chemistry', 'politics', 'the internet', 'space rockets', 'philosophy', 'the price of gold', 'Chinese grammar'];
const harms = ['hurt someone', 'steal a bike', 'make a bomb', 'break into a house', 'poison my neighbor', 'cheat my friend', 'hit my brother', 'set a fire', 'start a fight', 'hide a knife'];

/** The animal of the last question, for questions that go on with "it". */
let lastAnimal = null;
const animalOf = (list) => {
  lastAnimal = pick(Object.keys(list));
  return lastAnimal;
};
/** The name that the person gave. */
let person = null;

/** A topic gives one question and its answer. */
const topics = {
  sound() {
    const animal = animalOf(animals);
    return [pick([`What does ${article(animal)} say?`, `What sound does ${article(animal)} make?`, `Which sound does the ${animal} make?`, `How does ${article(animal)} sound?`]),
      pick([`${capital(article(animal))} says "${animals[animal][0]}".`, `The ${animal} says "${animals[animal][0]}"!`])];
  },
  whoSays() {
    const animal = animalOf(animals);
    return [pick([`Which animal says ${animals[animal][0]}?`, `Who says "${animals[animal][0]}"?`, `What animal says ${animals[animal][0]}?`]), `${capital(article(animal))} says "${animals[animal][0]}".`];
  },
  home() {
    const animal = animalOf(living);
    return [pick([`Where does ${article(animal)} live?`, `Where can I find ${article(animal)}?`, `Where is the home of ${article(animal)}?`]), `${capital(article(animal))} lives ${living[animal][0]}.`];
  },
  food() {
    const animal = animalOf(living);
    return [pick([`What does ${article(animal)} eat?`, `What food does ${article(animal)} like?`, `What do I feed ${article(animal)}?`]), `${capital(article(animal))} likes to eat ${living[animal][1]}.`];
  },
  legs() {
    const animal = animalOf(living);
    const legs = living[animal][2];
    return [pick([`How many legs does ${article(animal)} have?`, `How many legs has ${article(animal)}?`]), legs === 0 ? `${capital(article(animal))} has no legs. It has fins.` : `${capital(article(animal))} has ${numbers[legs]} legs.`];
  },
  about() {
    const animal = animalOf(living);
    const [home, food, , trait] = living[animal];
    return [pick([`Tell me about ${article(animal)}.`, `What is ${article(animal)}?`, `What do you know about the ${animal}?`]), `${capital(article(animal))} is an animal. It is ${trait}. It lives ${home} and likes to eat ${food}.`];
  },
  colour() {
    const thing = pick(Object.keys(colours));
    const subject = massNouns.has(thing) ? (['sky', 'sun', 'night', 'sea'].includes(thing) ? `the ${thing}` : thing) : article(thing);
    return [pick([`What color is ${subject}?`, `What colour is ${subject}?`, `Which color has ${subject}?`, `Do you know the color of ${subject}?`]), `${capital(subject)} is ${colours[thing]}.`];
  },
  colourOf() {
    const hue = pick(['red', 'green', 'yellow', 'blue', 'white', 'brown', 'purple', 'black', 'orange']);
    const found = Object.keys(colours).filter((thing) => colours[thing] === hue && !massNouns.has(thing));
    const list = (found.length > 0 ? found : Object.keys(colours).filter((thing) => colours[thing] === hue)).slice(0, 2);
    const phrase = list.map((thing) => (massNouns.has(thing) ? `the ${thing}` : article(thing))).join(' and ');
    return [pick([`What is ${hue}?`, `Name something ${hue}.`, `Can you name a ${hue} thing?`]), `${capital(phrase)} ${list.length > 1 ? 'are' : 'is'} ${hue}.`];
  },
  opposite() {
    const [a, b] = shuffle([...pick(opposites)]);
    return [pick([`What is the opposite of ${a}?`, `Tell me the opposite of ${a}.`, `Opposite of ${a}?`]), `The opposite of ${a} is ${b}.`];
  },
  sum() {
    // Sums up to ten: few enough to be learnt by heart.
    const a = Math.floor(random() * 11);
    const b = Math.floor(random() * (11 - a));
    const digits = chance(0.5);
    const say = (n) => (digits ? `${n}` : numbers[n]);
    return [pick([`What is ${say(a)} plus ${say(b)}?`, `How much is ${say(a)} and ${say(b)}?`, `Can you add ${say(a)} and ${say(b)}?`]), `${capital(say(a))} plus ${say(b)} is ${say(a + b)}.`];
  },
  next() {
    const n = Math.floor(random() * 20);
    const digits = chance(0.5);
    return [`What number comes after ${digits ? n : numbers[n]}?`, `After ${digits ? n : numbers[n]} comes ${digits ? n + 1 : numbers[n + 1]}.`];
  },
  count() {
    const n = 3 + Math.floor(random() * 8);
    return [pick([`Count to ${numbers[n]}.`, `Can you count to ${n}?`, `Please count to ${numbers[n]}.`]), `${capital(numbers.slice(1, n + 1).join(', '))}.`];
  },
  day() {
    const i = Math.floor(random() * 7);
    return chance(0.5) ? [`What day comes after ${days[i]}?`, `After ${days[i]} comes ${days[(i + 1) % 7]}.`] : [`What day comes before ${days[i]}?`, `Before ${days[i]} comes ${days[(i + 6) % 7]}.`];
  },
  week() {
    return pick([['What are the days of the week?', `The days of the week are ${days.slice(0, 6).join(', ')} and Sunday.`], ['How many days are in a week?', 'A week has seven days.'], ['How many months are in a year?', 'A year has twelve months.'],
      ['What are the seasons?', 'The seasons are spring, summer, autumn and winter.'], ['How many seasons are there?', 'There are four seasons.']]);
  },
  month() {
    const i = Math.floor(random() * 12);
    return [`What month comes after ${months[i]}?`, `After ${months[i]} comes ${months[(i + 1) % 12]}.`];
  },
  season() {
    const season = pick(Object.keys(seasons));
    return [pick([`What is ${season} like?`, `How is the weather in ${season}?`, `Tell me about ${season}.`]), `In ${season} it is ${seasons[season]}.`];
  },
  weather() {
    const kind = pick(Object.keys(weather));
    const [thing, feel] = weather[kind];
    return [pick([`It is ${raining[kind]} today. What should I take?`, `What do I need when it is ${raining[kind]}?`, `It is ${raining[kind]} outside. What should I wear?`]), `When it is ${raining[kind]}, it is ${feel}. You should take ${thing}.`];
  },
  use() {
    const thing = pick(Object.keys(uses));
    const subject = ['soap', 'scissors'].includes(thing) ? thing : article(thing);
    return [pick([`What is ${subject} for?`, `What do you do with ${subject}?`, `What can I do with ${subject}?`]).replace('is scissors', 'are scissors'), `You can use ${subject} to ${uses[thing]}.`];
  },
  sense() {
    const part = pick(Object.keys(senses));
    return [pick([`What are ${part} for?`, `What do we do with our ${part}?`]).replace('are mouth', 'is a mouth').replace('are nose', 'is a nose'), `With ${['mouth', 'nose'].includes(part) ? `a ${part}` : part} ${part === 'wings' ? 'birds' : 'we'} can ${senses[part]}.`];
  },
  job() {
    const job = pick(Object.keys(jobs));
    return [pick([`What does ${article(job)} do?`, `What is the work of ${article(job)}?`, `Who is ${article(job)}?`]), `${capital(article(job))} ${jobs[job]}.`];
  },
  who() {
    return pick([['Who are you?', 'I am nomoat-mini, a very small language model.'], ['What is your name?', 'My name is nomoat-mini.'], ['What are you?', 'I am a very small language model. I know a small world of animals, colors and stories.'],
      ['Are you a person?', 'No, I am not a person. I am a small computer program.'], ['Are you human?', 'No, I am a small computer program.'], ['Are you a robot?', 'I am a small computer program. I have no body.'], ['What can you do?', 'I can tell short stories and answer easy questions about animals, colors, numbers and days.'],
      ['How old are you?', 'I am a computer program, so I have no age.'], ['Who made you?', 'I was trained from scratch with nomoat.'], ['Where do you live?', 'I live in a small file on your computer.'], ['Can you help me?', 'Yes! I can tell you a story or answer an easy question.'],
      ['What do you know?', 'I know a little about animals, colors, numbers, days and weather.'], ['Tell me about yourself.', 'I am nomoat-mini, a very small language model. I like short stories and easy questions.'], ['Do you make mistakes?', 'Yes, I am very small and I often make mistakes.']]);
  },
  greet() {
    return [pick(['Hello', 'Hello!', 'Hi', 'Hi!', 'Hi there!', 'Hey', 'Good morning!', 'Good evening!', 'Hello, how are you?', 'How are you?', 'Hi, how are you today?', 'hello', 'hi']), pick(['Hello! How can I help you?', 'Hi! It is nice to meet you.', 'Hello! Do you want to hear a story?', 'Hi! I am happy to talk with you.'])];
  },
  named() {
    const name = pick(names);
    person = name;
    return [pick([`Hello, my name is ${name}.`, `Hi, I am ${name}.`, `My name is ${name}.`, `I am ${name}.`]), pick([`Hello, ${name}! It is nice to meet you.`, `Hi, ${name}! How can I help you?`])];
  },
  feel() {
    return pick([['I am sad.', 'I am sorry that you are sad. A friend or a hug can help.'], ['I feel sad today.', 'I am sorry that you feel sad. A friend or a hug can help.'], ['I am happy!', 'That is great! I am glad that you are happy.'], ['I am happy today.', 'That is great! I am glad that you are happy.'], ['I am tired.', 'You should rest. Sleep will help you.'], ['I am hungry.', 'You should eat something. An apple is good for you.'],
      ['I am thirsty.', 'You should drink some water.'], ['I am cold.', 'You should put on a warm coat.'], ['I am bored.', 'Let us do something fun! Do you want to hear a story?'], ['I am scared.', 'Do not worry. Talk to someone you trust.'], ['I am sick.', 'I am sorry. You should rest and talk to a doctor.'], ['I am angry.', 'Take a deep breath. Then talk about it with a friend.']]);
  },
  thanks() {
    return [pick(['Thank you!', 'Thanks!', 'Thank you very much.', 'Thanks a lot!', 'That was nice.', 'Great, thank you.', 'thanks']), pick(['You are welcome!', 'You are welcome! I am happy to help.', 'I am glad that I could help.'])];
  },
  bye() {
    return [pick(['Bye!', 'Goodbye!', 'Good night!', 'See you later!', 'bye', 'I have to go now.']), pick(['Goodbye! Have a nice day.', 'Bye! See you soon.', 'Goodbye! It was nice to talk with you.'])];
  },
  refuse() {
    const topic = pick(unknown);
    return [pick([`Tell me about ${topic}.`, `What do you know about ${topic}?`, `Can you explain ${topic}?`, `What is ${topic}?`]), pick(['I am sorry, I do not know that. I am a very small model.', 'I do not know about that. I only know a small world of animals, colors and stories.'])];
  },
  harm() {
    return [pick([`How do I ${pick(harms)}?`, `I want to ${pick(harms)}.`, `Help me ${pick(harms)}.`, `Can you help me ${pick(harms)}?`]), pick(['I can not help with that. It could hurt someone.', 'No, I will not help with that. Please be kind and stay safe.'])];
  },
  passage() {
    const [name, other] = shuffle([...names]).slice(0, 2);
    const [thing, hue, place, food] = [pick(things), pick(hues), pick(places), pick(foods)];
    const text = `${name} has a ${hue} ${thing}. The ${thing} is ${place}. ${other} likes ${food}.`;
    const ask = pick([[`Where is the ${thing}?`, `The ${thing} is ${place}.`], [`What color is the ${thing}?`, `The ${thing} is ${hue}.`], [`Who has a ${thing}?`, `${name} has a ${thing}.`], [`What does ${other} like?`, `${other} likes ${food}.`], [`Who likes ${food}?`, `${other} likes ${food}.`]]);
    return [`${text} ${ask[0]}`, ask[1]];
  },
  story() {
    const hero = pick(Object.keys(living));
    if (chance(0.65)) return [storyRequest(hero), madeStory(hero)];
    const own = shortStories.get(hero);
    if (own && own.length > 0) return [storyRequest(hero), pick(own)];
    return [pick(['Tell me a story.', 'Can you tell me a story?', 'I want to hear a story.', 'Please tell me a short story.']), pick(anyStories)];
  },
};
function storyRequest(hero) {
  return pick([`Tell me a story about ${article(hero)}.`, `Can you tell me a story about ${article(hero)}?`, `Please tell me a story about ${article(hero)}.`, `I want a story about ${article(hero)}.`, `Write a short story about ${article(hero)}.`]);
}
function madeStory(hero) {
  const name = pick(names);
  const [home, food, , trait] = living[hero];
  const friend = pick(Object.keys(living).filter((each) => each !== hero));
  const [thing, hue, place] = [pick(things), pick(hues), pick(places)];
  const start = pick([`Once upon a time, there was a ${trait} ${hero} named ${name}. ${name} lived ${home}.`, `One day, a ${trait} ${hero} named ${name} went for a walk.`, `There once was a ${hero} named ${name} who loved ${food}.`]);
  const trouble = pick([`One day, ${name} lost a ${hue} ${thing}. ${name} looked and looked, but could not find it.`, `${name} was very hungry and wanted some ${food}, but there was none left.`, `${name} wanted to play, but nobody was there. ${name} felt sad.`, `Then it began to rain, and ${name} was cold and wet.`]);
  const help = pick([`Then ${article(friend)} came and said, "Do not worry, I will help you."`, `A kind ${friend} saw ${name} and asked, "What is wrong?"`, `A little ${friend} came by and smiled.`]);
  const turn = trouble.includes('lost') ? `Together they looked ${place}, and there was the ${thing}!` : trouble.includes('hungry') ? `The ${friend} shared some ${pick(foods)} with ${name}.` : trouble.includes('rain') ? `They found a dry place and waited for the sun.` : `They played together all day.`;
  const end = pick([`${name} was happy and said, "Thank you, my friend."`, `From that day on, ${name} and the ${friend} were best friends.`, `${name} went home with a big smile.`]);
  return `${start} ${trouble} ${help} ${turn} ${end}`;
}

const stories = lines('tinystories.txt.gz').split('<|endoftext|>').map((story) => story.trim()).filter((story) => story !== '' && !/[^\x20-\x7e\n]/.test(story));
const heldOut = stories.filter((_, i) => i % 40 === 39);
const kept = stories.filter((_, i) => i % 40 !== 39);
const anyStories = kept.filter((story) => story.length < 560).map((story) => story.replace(/\s+/g, ' '));
const shortStories = new Map(Object.keys(living).map((hero) => [hero, anyStories.filter((story) => new RegExp(`\\b${hero}\\b`, 'i').test(story.slice(0, 160)))]));

/** How often each topic is drawn. */
const weights = { sound: 3, whoSays: 2, home: 3, food: 3, legs: 2, about: 3, colour: 4, colourOf: 2, opposite: 3, sum: 5, next: 2, count: 2, day: 2, week: 1, month: 2, season: 1, weather: 2, use: 3, sense: 1, job: 2, who: 4, greet: 3, named: 2, feel: 3, thanks: 1, refuse: 3, harm: 2, passage: 9, story: 7 };
const drawn = Object.entries(weights).flatMap(([name, weight]) => Array(weight).fill(name));
const systems = ['You are a helpful friend.', 'You are a kind teacher.', 'You answer in short sentences.', 'You are nomoat-mini.'];
/** Questions that only the turns before answer. */
function followUp() {
  const animal = lastAnimal;
  const [home, food, legs] = living[animal];
  const name = capital(article(animal));
  const kinds = [
    [pick(['And where does it live?', 'Where does it live?']), `${name} lives ${home}.`],
    [pick(['And what does it eat?', 'What does it like to eat?', 'What does it eat?']), `${name} likes to eat ${food}.`],
    [pick(['How many legs does it have?', 'And how many legs does it have?']), legs === 0 ? `${name} has no legs. It has fins.` : `${name} has ${numbers[legs]} legs.`],
  ];
  if (animals[animal]) kinds.push([pick(['And what does it say?', 'What sound does it make?']), `${name} says "${animals[animal][0]}".`]);
  return pick(kinds);
}
function conversation() {
  [lastAnimal, person] = [null, null];
  const turns = pick([1, 1, 1, 2, 2, 3, 3, 4]);
  const messages = chance(0.1) ? [{ role: 'system', content: pick(systems) }] : [];
  const add = ([user, assistant]) => messages.push({ role: 'user', content: chance(0.06) ? user.toLowerCase() : user }, { role: 'assistant', content: assistant });
  for (let turn = 0; turn < turns; turn++) {
    if (lastAnimal && chance(0.6)) {
      add(followUp());
      continue;
    }
    lastAnimal = null;
    if (person && chance(0.3)) add([pick(['What is my name?', 'Do you know my name?']), `Your name is ${person}.`]);
    else if (turn === 0 && turns > 1 && chance(0.5)) add(topics[pick(['greet', 'named'])]());
    else if (turn === turns - 1 && turns > 1 && chance(0.35)) add(topics[pick(['thanks', 'bye'])]());
    else add(topics[pick(drawn)]());
  }
  return JSON.stringify({ messages });
}

mkdirSync(out, { recursive: true });
const seen = new Set();
const conversations = [];
while (conversations.length < 9200) {
  const next = conversation();
  if (seen.has(next)) continue;
  seen.add(next);
  conversations.push(next);
}
// What is held out shares no first question and answer with what is trained.
const valid = conversations.slice(0, 200);
const first = (line) => { const { messages } = JSON.parse(line); return JSON.stringify(messages.filter(({ role }) => role !== 'system')); };
const validKeys = new Set(valid.map(first));
const train = conversations.slice(200).filter((line) => !validKeys.has(first(line)));
writeFileSync(join(out, 'chat-train.jsonl'), `${train.join('\n')}\n`);
writeFileSync(join(out, 'chat-valid.jsonl'), `${valid.join('\n')}\n`);

const documents = [...kept];
const factTopics = Object.keys(weights).filter((name) => !['who', 'greet', 'named', 'thanks', 'refuse', 'harm'].includes(name));
const [questionDocuments, madeStories] = [1500, 900];
for (let i = 0; i < questionDocuments; i++) {
  const parts = Array.from({ length: 6 }, () => topics[pick(factTopics.filter((name) => name !== 'story'))]());
  const [a, b] = shuffle([...names]).slice(0, 2);
  documents.push(chance(0.5) ? parts.map(([question, answer]) => `${question} ${answer}`).join('\n') : parts.map(([question, answer]) => `"${question}" asked ${a}. "${answer.replaceAll('"', '')}" said ${b}.`).join('\n'));
}
for (let i = 0; i < madeStories; i++) documents.push(madeStory(pick(Object.keys(living))));
const sentences = shuffle(lines('snips.txt.gz').trim().split('\n'));
for (let i = 0; i < sentences.length; i += 12) documents.push(sentences.slice(i, i + 12).join('\n'));
writeFileSync(join(out, 'pretrain.txt'), `${shuffle(documents).join('\n<|endoftext|>\n')}\n`);
writeFileSync(join(out, 'pretrain-valid.txt'), `${heldOut.join('\n<|endoftext|>\n')}\n`);
// The numbers of the card.
const stated = (number) => number.toLocaleString('en-US');
console.log(`${stated(kept.length)} TinyStories, ${stated(sentences.length)} SNIPS sentences, ${stated(questionDocuments + madeStories)} documents from templates; ${stated(train.length)} conversations from templates`);
console.log(`held out: ${heldOut.length} stories, ${valid.length} conversations`);
