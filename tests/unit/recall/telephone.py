"""Three callers of our own, in English, in Spanish and in both: what recall is held to in two languages.

Written for this project. A line is "who: words", with "name| " before it where a question's evidence lies.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from agentic_memory.domain.call import Call, Role, Turn
from agentic_memory.domain.caller import Caller, CallerName, NameSource
from agentic_memory.domain.records import CallerRecords, CallRecord


@dataclass(frozen=True)
class Person:
    name: str
    agent: str
    calls: tuple[tuple[str, str], ...]
    """(day, lines) of each call."""
    questions: tuple[tuple[str, str, str], ...]
    """(English, Spanish, names of the evidence, any of which will do; empty: never said)."""


RUTH = Person(
    "Ruth Calder",
    "Nora",
    (
        ("2026-01-12", """
A: Good morning, this is Nora from Hillside Home Services. How can I help?
C: Hi, um, my name is Ruth Calder. I'm calling because the boiler is making a terrible noise.
A: I'm sorry to hear that, Ruth. Since when has it been doing this?
boiler_since| C: It started on Saturday night, right after we turned the heating up.
A: I see. Do you know which make it is?
boiler_make| C: Yeah, it's a Worcester, the, uh, Greenstar one. It was put in about nine years ago.
A: Thank you. Is there anyone at home during the day?
at_home| C: I work from home on Mondays and Fridays, otherwise nobody is in before five.
visit1| A: Then I have put you down for Friday the sixteenth, between nine and eleven.
C: Perfect. Will it be the same chap as last time?
engineer| A: It will be Martin, he looked after your radiators in autumn.
C: Oh good, he was lovely.
dog| C: One more thing, we have a big dog, Biscuit, he barks at strangers but he's harmless.
A: Noted, I'll tell him. Anything else?
C: No, that's all. Thanks a lot.
"""),
        ("2026-02-03", """
A: Hillside Home Services, Nora speaking. Hello Ruth, what is new?
C: Hello. The boiler is fine now, thank you. Martin replaced some pump or other.
A: Glad to hear it. What can I do for you today?
kitchen| C: We're thinking of redoing the kitchen this spring, so I'd like a quote.
A: Lovely. What do you have in mind?
counter| C: I'd love an oak worktop and, um, dark green cupboards, nothing shiny.
A: And is there a budget you want to stay within?
budget1| C: We've got about twelve thousand pounds put aside.
A: Good to know. When should it be ready?
deadline| C: It has to be done before my mother moves in with us at the end of May.
A: Oh, your mother is moving in?
mother| C: Yes, she's eighty-one and she broke her hip at Christmas, so she can't manage the stairs any more.
A: I hope she recovers well. Would she need anything special?
mother_need| C: A walk-in shower downstairs would help her, and no carpets to trip over.
A: I'll include that in the quote.
quote_no| A: Your quote number is H4 7 1 2, and you'll have it by e-mail within a week.
channel1| C: Email is fine, but please don't phone me at work, my boss hates it.
A: Understood, no calls during working hours.
"""),
        ("2026-03-05", """
A: Hello, this is Nora. Am I speaking with Ruth?
C: Yes, hi. I got the quote, thanks. It's a bit more than we hoped.
A: I understand. Shall we look at what could be left out?
floor| C: We could keep the floor tiles, my husband laid them himself and he's quite attached to them.
A: That would save about nine hundred pounds.
budget2| C: Actually we can go up to fifteen thousand now, Peter got his bonus.
A: Wonderful, then most of it fits.
C: Right. And the allergy thing, did I mention that?
A: I don't think so.
allergy| C: My son Toby is asthmatic, so the paint has to be the water-based kind without solvents.
A: I'll make a note of that, low-emission paint only.
supplier| A: We would order the cupboards from Brennan and Sons, they deliver in six weeks.
C: Fine by me. When could you start?
start| A: We could begin on Monday the thirtieth of March.
C: Great, let's do that. Sorry, the line is bad, I'm on the train to Leeds.
A: No problem, I can hear you well enough.
leeds| C: I go up there every other week to teach a pottery class, it's my little escape.
A: How nice. Have a good trip.
"""),
        ("2026-04-21", """
A: Hello Ruth, it's Nora from Hillside. How is the work going?
C: Mostly well. There was a bit of trouble with the sink, though.
A: Oh? What happened?
leak| C: The plumber cracked a pipe under it and the water ran into the cellar on Tuesday.
A: I am so sorry. Is there damage?
damage| C: Two boxes of photographs got soaked, my wedding pictures among them, I was in tears.
A: That's awful. We will of course cover it.
refund| A: I have arranged two hundred and fifty pounds of compensation, it will be on your account by Friday.
C: Thank you, that's decent of you.
neighbour| C: Our neighbour Mrs Okafor helped me to dry what could be saved, she used to work in a museum.
A: How kind of her.
C: Yes, she's a treasure. And please tell the team to park on the drive, not on the street.
parking| C: The street is for residents only, they got a ticket last week.
A: I'll pass it on.
move1| C: Oh, and mother is coming earlier, on the tenth of May instead of the end of the month.
A: All right, we'll hurry up with the shower then.
"""),
        ("2026-06-02", """
A: Hillside Home Services, Nora speaking.
C: Hi Nora, it's Ruth. I just wanted to say the kitchen is gorgeous.
A: I'm delighted! Is everyone happy with it?
favourite| C: The window seat is my favourite bit, I have my coffee there every morning.
A: And how is your mother settling in?
mother_now| C: She's doing well, she's started knitting for half the street and she beats Toby at chess.
A: That sounds cheerful.
C: It is. By the way, we have a new number for the account.
phone| C: Please text me on my mobile from now on, I hardly read my emails these days.
A: Gladly, texts it is.
warranty| A: Your guarantee on the cupboards runs for five years, until June 2031.
C: Brilliant. And could you come and look at the boiler once a year?
service| A: Certainly, I've booked the yearly check for the second week of October.
holiday| C: Just not in August, we're in Cornwall for three weeks with my sister's family.
A: Enjoy it! Anything else I can do?
C: No, that's everything. Take care.
"""),
    ),
    (
        ("When did the boiler begin to make noise?", "¿Cuándo empezó a hacer ruido la caldera?", "boiler_since"),
        ("What make is Ruth's boiler?", "¿De qué marca es la caldera de Ruth?", "boiler_make"),
        ("On which days is somebody at the house?", "¿Qué días hay alguien en casa?", "at_home"),
        ("What is the caller's dog called?", "¿Cómo se llama el perro de la clienta?", "dog"),
        ("Which technician came to see the radiators?", "¿Qué técnico se ocupó de los radiadores?", "engineer"),
        ("What does she want the worktop to be made of?", "¿De qué material quiere la encimera?", "counter"),
        ("How much money can Ruth spend on the kitchen?", "¿Cuánto dinero puede gastar Ruth en la cocina?", "budget2 budget1"),
        ("Why can't her mother climb stairs?", "¿Por qué su madre no puede subir escaleras?", "mother"),
        ("What does the mother need in the bathroom?", "¿Qué necesita la madre en el baño?", "mother_need"),
        ("What is the quote number?", "¿Cuál es el número de presupuesto?", "quote_no"),
        ("How does Ruth want to be contacted?", "¿Cómo quiere Ruth que la contacten?", "phone channel1"),
        ("Who laid the floor tiles?", "¿Quién puso las baldosas del suelo?", "floor"),
        ("What illness does her son have?", "¿Qué enfermedad tiene su hijo?", "allergy"),
        ("Which company delivers the cupboards?", "¿Qué empresa entrega los armarios?", "supplier"),
        ("What does Ruth teach?", "¿Qué enseña Ruth?", "leeds"),
        ("What got wet when the pipe broke?", "¿Qué se mojó cuando se rompió la tubería?", "damage leak"),
        ("How much compensation was promised?", "¿Cuánta compensación se prometió?", "refund"),
        ("Who helped her to save the photographs?", "¿Quién le ayudó a salvar las fotografías?", "neighbour"),
        ("When is the mother moving in?", "¿Cuándo se muda la madre?", "move1 deadline"),
        ("What does Ruth like best about the new kitchen?", "¿Qué es lo que más le gusta a Ruth de la cocina nueva?", "favourite"),
        ("How long is the guarantee?", "¿Cuánto dura la garantía?", "warranty"),
        ("Where do they spend their summer holiday?", "¿Dónde pasan las vacaciones de verano?", "holiday"),
        ("What hobby has her mother taken up?", "¿Qué afición tiene ahora su madre?", "mother_now"),
        ("What is Ruth's blood type?", "¿Cuál es el grupo sanguíneo de Ruth?", ""),
        ("Which football team does she support?", "¿De qué equipo de fútbol es?", ""),
        ("Did she buy a motorcycle?", "¿Se compró una motocicleta?", ""),
    ),
)

DIEGO = Person(
    "Diego Salvatierra",
    "Lucía",
    (
        ("2026-01-20", """
A: Clínica San Telmo, le atiende Lucía. ¿En qué puedo ayudarle?
C: Hola, buenas. Me llamo Diego Salvatierra y quería pedir cita con el traumatólogo.
A: Claro, Diego. ¿Qué le ocurre?
knee| C: Pues mire, me duele la rodilla izquierda desde que me caí de la bici en noviembre.
A: Vaya, lo siento. ¿Tiene radiografías?
C: Sí, me las hicieron en el hospital, pero no se veía nada roto.
insurance| C: Ah, y tengo el seguro de Mutua del Norte, el básico.
A: Perfecto, trabajamos con ellos.
doctor1| A: Le puedo dar hora con la doctora Ibáñez el jueves veintinueve a las diez y cuarto.
shift| C: Eh, por la mañana imposible, trabajo en la panadería hasta las dos.
A: ¿Y a las cinco y media de la tarde?
C: Eso sí, perfecto.
A: Muy bien, queda apuntado. ¿Alergias?
allergy| C: Sí, a la penicilina, de pequeño casi me muero.
A: Lo anoto en su ficha, muchas gracias.
"""),
        ("2026-02-10", """
A: Clínica San Telmo, buenas tardes.
C: Hola, soy Diego. Fui a ver a la doctora y me mandó hacer una resonancia.
A: Muy bien. ¿Qué día le vendría mejor?
C: Cualquier tarde menos el miércoles.
wednesday| C: Los miércoles llevo a mi hija Alba a clases de violín, no puedo faltar.
A: Entendido. ¿Tiene usted claustrofobia, o lleva algún metal en el cuerpo?
metal| C: Llevo una placa de titanio en la clavícula, de un accidente de moto de hace diez años.
A: El titanio no da problemas, pero avíselo al técnico.
scan| A: La resonancia será el lunes dieciséis a las seis, en la planta sótano, puerta B.
C: De acuerdo. ¿Tengo que ir en ayunas?
A: No hace falta. Traiga el volante y el carné.
price| A: Con su seguro le quedan por pagar treinta y cinco euros.
C: Vale. Oiga, ¿y el resultado me lo mandan?
result| C: Es que prefiero recogerlo en persona, no me fío del correo.
A: Como usted quiera, estará en recepción.
"""),
        ("2026-03-18", """
A: Clínica San Telmo, le habla Lucía.
C: Hola Lucía, soy Diego Salvatierra otra vez.
A: ¡Hola, Diego! ¿Cómo va la rodilla?
meniscus| C: Regular. La doctora dice que tengo el menisco roto y que hay que operar.
A: Vaya. ¿Ya tiene fecha?
C: Todavía no, por eso llamo.
surgery1| A: El cirujano opera el catorce de abril a primera hora.
easter| C: Uf, en Semana Santa no, es cuando más trabajo hay, con las torrijas y las monas.
A: Claro, usted es panadero. ¿Y después?
C: A partir del veinte, cuando quieran.
surgery2| A: Entonces lo cambio al veintitrés de abril, a las ocho de la mañana.
C: Estupendo. ¿Quién me puede acompañar?
A: Una persona, la que usted decida.
companion| C: Vendrá mi hermano Julián, que está jubilado y vive en el piso de abajo.
A: Muy bien. ¿Toma algún medicamento?
pills| C: Una pastilla para la tensión, el enalapril, todas las noches.
A: Siga tomándola hasta el día antes.
"""),
        ("2026-05-06", """
A: Buenos días, Diego, le llamo de la clínica para saber qué tal va.
C: Ah, muchas gracias. Pues bastante bien, ya camino con una muleta.
A: Qué buena noticia. ¿Y la rehabilitación?
rehab| C: Voy tres veces por semana con una fisio que se llama Marta, en el gimnasio de la calle Pelayo.
A: ¿Le duele por la noche?
sleep| C: Un poco, duermo con una almohada entre las piernas y así aguanto.
A: Bien hecho. ¿Ha vuelto al trabajo?
work| C: No, estoy de baja hasta el quince de junio, me sustituye mi primo.
A: Tómeselo con calma.
C: La verdad es que me aburro, echo de menos el horno.
book| C: He empezado a escribir las recetas de mi abuela para hacer un libro.
A: ¡Qué bonito! Me guardará un ejemplar.
C: Hecho. La de las empanadas de atún es la mejor.
move| C: Por cierto, me he mudado a Gijón, al barrio de Cimavilla, apunte la dirección nueva.
A: Apuntado. Le escribo la próxima cita en un mensaje.
"""),
        ("2026-06-15", """
A: Clínica San Telmo, dígame.
C: Hola, soy Diego. Llamo para anular la revisión de mañana.
A: ¿Ha pasado algo?
C: No, nada malo, es que hay una boda.
wedding| C: Se casa mi sobrina en León y salimos esta misma noche.
A: ¡Enhorabuena! ¿Cuándo le viene bien?
C: La semana que viene, el jueves por la tarde.
check| A: El jueves veinticinco a las cuatro y media, con la doctora Ibáñez.
C: Genial. Una cosa más, he cambiado de seguro.
insurance2| C: Ahora estoy con Sanicor, porque la otra compañía subió mucho la cuota.
A: De acuerdo, también trabajamos con ella.
bike| C: ¿Y cuándo podré volver a montar en bici? Tengo muchas ganas.
bike_when| A: La doctora ha escrito que a partir de septiembre, y sin cuestas.
C: Paciencia, entonces. Gracias por todo.
"""),
    ),
    (
        ("Which knee hurts Diego?", "¿Qué rodilla le duele a Diego?", "knee"),
        ("How did he hurt himself?", "¿Cómo se hizo daño?", "knee"),
        ("Which health insurance does he have now?", "¿Qué seguro médico tiene ahora?", "insurance2 insurance"),
        ("What is the caller allergic to?", "¿A qué es alérgico el paciente?", "allergy"),
        ("What does Diego do for a living?", "¿En qué trabaja Diego?", "shift easter"),
        ("What does his daughter do on Wednesdays?", "¿Qué hace su hija los miércoles?", "wednesday"),
        ("Does he have metal in his body?", "¿Lleva metal en el cuerpo?", "metal"),
        ("How much does he have to pay for the scan?", "¿Cuánto tiene que pagar por la resonancia?", "price"),
        ("How does he want to get the result?", "¿Cómo quiere recibir el resultado?", "result"),
        ("What is broken in his knee?", "¿Qué tiene roto en la rodilla?", "meniscus"),
        ("When is the operation?", "¿Cuándo es la operación?", "surgery2 surgery1"),
        ("Why could he not be operated at Easter?", "¿Por qué no podía operarse en Semana Santa?", "easter"),
        ("Who will accompany him to the hospital?", "¿Quién lo acompañará al hospital?", "companion"),
        ("Which medicine does he take every night?", "¿Qué medicamento toma cada noche?", "pills"),
        ("Where does he do his rehabilitation?", "¿Dónde hace la rehabilitación?", "rehab"),
        ("How does he manage to sleep?", "¿Cómo consigue dormir?", "sleep"),
        ("Until when is Diego on sick leave?", "¿Hasta cuándo está Diego de baja?", "work"),
        ("What is Diego writing?", "¿Qué está escribiendo Diego?", "book"),
        ("To which town has he moved?", "¿A qué ciudad se ha mudado?", "move"),
        ("Who is getting married?", "¿Quién se casa?", "wedding"),
        ("When is the next check with doctor Ibáñez?", "¿Cuándo es la próxima revisión con la doctora Ibáñez?", "check"),
        ("When may he ride a bicycle again?", "¿Cuándo podrá volver a montar en bicicleta?", "bike_when bike"),
        ("What is his favourite film?", "¿Cuál es su película favorita?", ""),
        ("Does he own a boat?", "¿Tiene un barco?", ""),
        ("Which university did he attend?", "¿En qué universidad estudió?", ""),
    ),
)

MARISOL = Person(
    "Marisol Vega",
    "Sam",
    (
        ("2026-02-02", """
A: Bluebird Travel, Sam speaking. How can I help you?
C: Hi, uh, hola, I'm Marisol Vega. I want to book a trip to see my family.
A: Hello Marisol. Where does your family live?
family| C: My parents live in Oaxaca, in the mountains, and my brothers are in Puebla.
A: Beautiful. When would you like to travel?
when| C: En julio, cuando los niños no tienen escuela, two weeks or so.
A: How many of you are there?
kids| C: Four. My husband, me and the twins, Leo y Camila, they are seven.
A: Would you like seats together?
seat| C: Yes please, and an aisle seat for me, I get nervous at the window.
A: I can offer a flight from Chicago with one stop in Dallas.
fare| A: It comes to two thousand four hundred and ninety dollars for the four of you.
C: Híjole, that's a lot. Let me talk to my husband.
A: Of course. I'll hold it until Thursday.
C: Gracias, Sam.
"""),
        ("2026-02-05", """
A: Bluebird Travel, this is Sam.
C: Hola Sam, es Marisol. Ya hablé con mi esposo, and we'll take it.
A: Great! May I have the names as in the passports?
passport| C: Leo's passport expires in August, ¿es un problema?
A: For Mexico it is fine, as long as it is valid on the day you enter.
C: Okay. Can we pay in two parts?
pay| C: La mitad ahora y la otra mitad en mayo, when we get our tax refund.
A: Yes, that works.
booking| A: Your booking code is Q R 7 T 2, please keep it.
C: Q, R, siete, T, dos. Ya lo tengo.
meal| C: Ah, and vegetarian meals for me, hace años que no como carne.
A: One vegetarian meal, noted.
celiac| C: Y Camila es celíaca, so nothing with wheat for her, please.
A: One gluten-free child meal. Anything else?
C: No, es todo.
"""),
        ("2026-05-11", """
A: Bluebird Travel, Sam speaking. Hello Marisol.
C: Hi Sam. I'm calling about the second payment, and there's a change.
A: Tell me.
husband| C: My husband can't come, he started a new job at the hospital in April.
A: Congratulations to him. Shall I cancel his ticket?
mother_in_law| C: No, mejor cámbialo a mi suegra, Doña Elvira, she wants to see the ruins.
A: I can do that, there is a fee of seventy-five dollars.
C: Está bien. She needs a wheelchair at the airport, though.
wheelchair| C: Le cuesta caminar desde que le pusieron la cadera nueva.
A: I'll order assistance in Chicago and in Oaxaca.
hotel| C: Y necesitamos un hotel in Mexico City for the first night, near the airport.
A: I've reserved two rooms at the Camino Azul.
shuttle| A: The hotel's shuttle leaves every half hour from gate six.
C: Perfecto, thank you so much.
fear| C: You know, I haven't been home in six years, estoy muy emocionada.
A: I can imagine!
"""),
        ("2026-08-04", """
A: Hello Marisol, welcome back! How was your trip?
C: Ay, Sam, it was wonderful, but the airline lost a suitcase.
A: Oh no. Whose was it?
suitcase| C: The red one, con toda la ropa de los gemelos y los regalos de mi mamá.
A: Have they found it?
C: Todavía no, it's been five days.
claim| A: I have filed a claim for you, the reference is eight eight one four.
C: Thank you. The kids loved the beach in Huatulco, though.
beach| C: Leo aprendió a nadar there, and now he wants lessons.
A: How lovely. And your mother-in-law?
ruins| C: She climbed half of Monte Albán with her new hip, ¿puedes creerlo?
A: Incredible!
next| C: Next year queremos ir a España, to visit my cousin in Valencia.
A: I'll gladly plan that with you.
whatsapp| C: Mejor escríbeme por WhatsApp, I never hear the phone at the salon.
A: I will. What do you do at the salon?
salon| C: I own it, soy peluquera, we opened in 2019.
A: I had no idea. Take care, Marisol.
"""),
    ),
    (
        ("Where do Marisol's parents live?", "¿Dónde viven los padres de Marisol?", "family"),
        ("How old are the twins?", "¿Cuántos años tienen los gemelos?", "kids"),
        ("When do they want to travel?", "¿Cuándo quieren viajar?", "when"),
        ("Which seat does she prefer?", "¿Qué asiento prefiere?", "seat"),
        ("How much does the flight cost?", "¿Cuánto cuesta el vuelo?", "fare"),
        ("Whose passport is about to expire?", "¿A quién le caduca el pasaporte?", "passport"),
        ("How does she pay for the trip?", "¿Cómo paga el viaje?", "pay"),
        ("What is her booking code?", "¿Cuál es el código de reserva?", "booking"),
        ("Does Marisol eat meat?", "¿Marisol come carne?", "meal"),
        ("Who must not eat wheat?", "¿Quién no puede comer trigo?", "celiac"),
        ("Why can't her husband come along?", "¿Por qué no puede venir su marido?", "husband"),
        ("Who travels in his place?", "¿Quién viaja en su lugar?", "mother_in_law"),
        ("Why does Doña Elvira need a wheelchair?", "¿Por qué necesita Doña Elvira una silla de ruedas?", "wheelchair"),
        ("Which hotel did you reserve?", "¿Qué hotel reservaste?", "hotel"),
        ("How often does the hotel shuttle leave?", "¿Cada cuánto sale el autobús del hotel?", "shuttle"),
        ("How long had she not been home?", "¿Cuánto tiempo llevaba sin ir a casa?", "fear"),
        ("What was in the lost suitcase?", "¿Qué había en la maleta perdida?", "suitcase"),
        ("What is the reference of the claim?", "¿Cuál es la referencia de la reclamación?", "claim"),
        ("What did Leo learn on the holiday?", "¿Qué aprendió Leo en las vacaciones?", "beach"),
        ("Where does she want to go next year?", "¿Adónde quiere ir el año que viene?", "next"),
        ("How should we reach Marisol?", "¿Cómo hay que contactar con Marisol?", "whatsapp"),
        ("What is Marisol's profession?", "¿Cuál es la profesión de Marisol?", "salon"),
        ("Which car does she drive?", "¿Qué coche conduce?", ""),
        ("What is her shoe size?", "¿Qué número de zapato usa?", ""),
        ("Does she play the guitar?", "¿Toca la guitarra?", ""),
    ),
)

PEOPLE = (RUTH, DIEGO, MARISOL)


def heard(person: Person) -> tuple[CallerRecords, dict[str, tuple[str, int]]]:
    """The person's records without vectors, and where each piece of evidence was said."""
    calls, places = [], {}
    number = f"+1555010{PEOPLE.index(person):04d}"
    for i, (day, lines) in enumerate(person.calls):
        conversation_id, turns = f"{person.name.split()[0].lower()}-{i}", []
        for n, line in enumerate(lines.strip().splitlines()):
            label, _, words = line.rpartition("| ")
            if label:
                places[label] = (conversation_id, n)
            who, text = words.split(": ", 1)
            turns.append(Turn(n, Role.CALLER if who == "C" else Role.AGENT, text, 6.0 * n))
        at = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() + 36000
        calls.append(Call("default", conversation_id, "test", at, caller_id=number, agent_name=person.agent, turns=tuple(turns)))
    name = CallerName(person.name, NameSource.INTRODUCTION, calls[0].started_at, calls[0].conversation_id)
    return CallerRecords(Caller("default", number, name, revision=1), tuple(CallRecord(c) for c in calls)), places
